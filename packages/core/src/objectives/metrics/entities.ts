import { type ClassScore, classScore } from "./class-report.ts";

/** How the entities that tags stand for fare: right where begin, end and type are. */
export interface EntityMeasures {
  readonly entity_precision: number;
  readonly entity_recall: number;
  readonly entity_f1: number;
  /** by type, sorted */
  readonly per_entity: readonly ClassScore[];
}

/** Whether classes are tags of entities: O and B-PER, I-PER, …, or with E- and S- too. */
export const areTags = (names: readonly string[]): boolean =>
  names.every((name) => name === "O" || tag.test(name)) && names.some((name) => tag.test(name));

const tag = /^[BIES]-(.+)$/;

/** Counts entities row by row, as seqeval (Nakayama 2018, after conlleval) does where it is not strict. */
export function entityCounts() {
  const counts = new Map<string, { right: number; answered: number; support: number }>();
  const of = (type: string) => {
    const known = counts.get(type) ?? { right: 0, answered: 0, support: 0 };
    counts.set(type, known);
    return known;
  };
  return {
    add(actual: readonly string[], predicted: readonly string[]) {
      const [meant, said] = [entitiesOf(actual), entitiesOf(predicted)];
      const known = new Set(meant.map(({ key }) => key));
      for (const { type } of meant) of(type).support++;
      for (const { type, key } of said) {
        of(type).answered++;
        if (known.has(key)) of(type).right++;
      }
    },
    result(): EntityMeasures {
      const total = { right: 0, answered: 0, support: 0 };
      for (const { right, answered, support } of counts.values()) {
        total.right += right;
        total.answered += answered;
        total.support += support;
      }
      const { precision, recall, f1 } = classScore(total);
      return {
        entity_precision: precision,
        entity_recall: recall,
        entity_f1: f1,
        per_entity: [...counts.keys()].sort().map((type) => ({ label: type, ...classScore(of(type)) })),
      };
    },
  };
}

interface Entity {
  readonly type: string;
  /** type, first and last place */
  readonly key: string;
}

/** The entities of a row of tags: one begins at B or S, behind an end or another type, and ends before what begins. */
function entitiesOf(tags: readonly string[]): readonly Entity[] {
  const found: Entity[] = [];
  let open: { readonly type: string; readonly from: number } | undefined;
  let closed = true;
  for (const [place, name] of [...tags, "O"].entries()) {
    const type = tag.exec(name)?.[1];
    const kind = name[0] ?? "O";
    const begins = type !== undefined && (closed || kind === "B" || kind === "S" || type !== open?.type);
    if (open && (begins || type === undefined || closed)) {
      found.push({ type: open.type, key: `${open.type} ${open.from} ${place - 1}` });
      open = undefined;
    }
    if (begins) open = { type, from: place };
    closed = type === undefined || kind === "E" || kind === "S";
  }
  return found;
}

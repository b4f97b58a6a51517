import {
  type AdaptedModel,
  canJoin,
  compileMixedRows,
  compileRows,
  type EncodedExample,
  type JoinedKinds,
  joinKinds,
  joinParts,
  type OpenBase,
  type OpenModel,
  type Prediction,
  programKey,
  type RowOutput,
  shapeOf,
} from "@petl/core";

/** A row and the adapter that it asks. */
interface AskedRow {
  readonly model: OpenModel;
  readonly row: EncodedExample;
}

/** Compiled models that kinds of adapters share; what a kind alone is computed with is the base's. */
export interface RowPrograms {
  /**
   * The same model, which shares with all adapters of its kind everything but its numbers; those lie where the engine's side
   * sees them, and never change.
   */
  shared(model: OpenModel): OpenModel;
  /** Whether rows of another adapter can be in a batch with those of some. */
  together(models: readonly OpenModel[], other: OpenModel): boolean;
  /** Computes rows that are {@link together}, in their order. Not while others are computed. */
  run(rows: readonly AskedRow[], output: RowOutput): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/** Kept at most; the one that was asked longest ago goes. */
const kept = 32;
/** Methods in one batch at most: all of them are computed for every row. */
const mostParts = 6;
/** Methods that a program may have beyond what a batch needs before another one is compiled. */
const idleParts = 2;
/** Numbers that the rows of a program take, about 256 MB, where one adapter is not larger. */
const mostNumbers = 2 ** 26;

/** @param most rows of several adapters that are computed side by side */
export function rowPrograms(base: OpenBase, most: number): RowPrograms {
  const mixed = latest<Mixed>();
  const known = kindsSeen();
  const joinedFor = async (needed: readonly AdaptedModel[], output: RowOutput): Promise<Mixed> => {
    const parts = partsOf(needed);
    const fitting = mixed
      .all()
      .filter(([, program]) => program.output === output && program.parts.size <= parts.size + idleParts)
      .filter(([, { joined }]) => needed.every(joined.takes))
      .sort(([, a], [, b]) => a.parts.size - b.parts.size)[0];
    if (fitting) return mixed.of(fitting[0], async () => fitting[1]);
    const key = JSON.stringify([output, [...parts].sort(), needed[0]?.goal.pooling]);
    const smaller = mixed.all().find(([other]) => other === key)?.[1];
    await mixed.drop(key);
    const all = smaller && canJoin([...smaller.kinds, ...needed]) ? [...smaller.kinds, ...needed] : needed;
    return mixed.of(key, () => mixedProgram(base, all, output, most));
  };
  return {
    shared(model) {
      const adapted = known.of(model.adapted);
      const { values } = base.engine.share(model.phi.values.length);
      values.set(model.phi.values);
      return { ...model, adapted, phi: { ...model.phi, layout: adapted.layout, values, isShared: true } };
    },
    together(models, other) {
      if (models.every((model) => model === other)) return true;
      const all = [...new Set([...models, other].map(({ adapted }) => known.of(adapted)))];
      return partsOf(all).size <= mostParts && known.canJoin(all);
    },
    async run(rows, output) {
      const [first] = rows;
      if (!first) return [];
      const { model } = first;
      if (rows.every((each) => each.model === model)) {
        const compile = () => compileRows(base.engine, model.adapted, output);
        return base.programs.rows.use(programKey(output, model.adapted), compile, (program) =>
          program.run(
            model.phi,
            rows.map(({ row }) => row),
          ),
        );
      }
      const needed = [...new Set(rows.map((row) => known.of(row.model.adapted)))];
      return (await joinedFor(needed, output)).run(rows);
    },
    release: () => mixed.release(),
  };
}

const partsOf = (all: readonly AdaptedModel[]): ReadonlySet<string> => new Set(all.flatMap(joinParts));

/** The kinds of adapters that were seen, one of each, and which of them share a batch. */
function kindsSeen() {
  const byStructure = new Map<string, AdaptedModel>();
  const answers = new Map<string, boolean>();
  const numbers = new Map<AdaptedModel, number>();
  const of = (adapted: AdaptedModel): AdaptedModel => {
    const structure = structureOf(adapted);
    const first = byStructure.get(structure) ?? adapted;
    byStructure.set(structure, first);
    if (!numbers.has(first)) numbers.set(first, numbers.size);
    return first;
  };
  return {
    of,
    canJoin(all: readonly AdaptedModel[]): boolean {
      const key = all
        .map((kind) => numbers.get(kind) ?? -1)
        .sort((a, b) => a - b)
        .join(" ");
      const answer = answers.get(key) ?? canJoin(all);
      if (answers.size > 10_000) answers.clear();
      answers.set(key, answer);
      return answer;
    },
  };
}

interface Mixed {
  readonly joined: JoinedKinds;
  readonly kinds: readonly AdaptedModel[];
  readonly parts: ReadonlySet<string>;
  readonly output: RowOutput;
  run(rows: readonly AskedRow[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

async function mixedProgram(
  base: OpenBase,
  kinds: readonly AdaptedModel[],
  output: RowOutput,
  most: number,
): Promise<Mixed> {
  const joined = await joinKinds(base, kinds);
  const numbers = joined.adapted.layout.reduce((sum, { size }) => sum + size, 0);
  const room = Math.max(1, Math.min(most, Math.floor(mostNumbers / Math.max(1, numbers))));
  const program = await compileMixedRows(base.engine, joined, output, room);
  return {
    joined,
    kinds,
    parts: partsOf(kinds),
    output,
    release: program.release,
    async run(rows) {
      const found: Prediction[] = [];
      const asked = rows.map(({ model, row }) => ({ adapter: model, row }));
      for (let start = 0; start < rows.length; start += room)
        found.push(...(await program.run(asked.slice(start, start + room))));
      return found;
    },
  };
}

/** Compiled programs by key, of which those asked last are kept. */
function latest<P extends { release(): Promise<void> }>() {
  const programs = new Map<string, P>();
  return {
    all: (): readonly (readonly [string, P])[] => [...programs],
    async of(key: string, compile: () => Promise<P>): Promise<P> {
      const program = programs.get(key) ?? (await compile());
      programs.delete(key);
      programs.set(key, program);
      for (const [oldestKey, old] of programs) {
        if (programs.size <= kept) break;
        programs.delete(oldestKey);
        await old.release();
      }
      return program;
    },
    async drop(key: string): Promise<void> {
      const program = programs.get(key);
      programs.delete(key);
      await program?.release();
    },
    async release(): Promise<void> {
      const all = [...programs.values()];
      programs.clear();
      await Promise.allSettled(all.map((program) => program.release()));
    },
  };
}

const structures = new WeakMap<AdaptedModel, string>();

/** What the graph follows from: adapters that agree in it differ in numbers alone. */
function structureOf(adapted: AdaptedModel): string {
  const known = structures.get(adapted) ?? JSON.stringify([shapeOf(adapted), adapted.targets]);
  structures.set(adapted, known);
  return known;
}

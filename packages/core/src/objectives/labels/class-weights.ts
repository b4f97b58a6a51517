import type { EncodedExample } from "../../data/rows/encode.ts";
import type { LabelMap } from "../../data/rows/labels.ts";
import { refuse, suggestion } from "../../errors.ts";
import type { HostTensor } from "../../tensor/host-tensor.ts";

/** What classes may weigh: so much that all count alike, or what is said by their names; 1 where nothing is said. */
export type ClassWeights = "balanced" | Readonly<Record<string, number>>;

/**
 * The weight of each class, in the order of the ids. Balanced: n / (k · n_c) for n items of k classes, n_c of class c.
 * @throws InputError for names that no class has, and for weights that are no numbers above 0
 */
export function classWeightsOf(
  asked: ClassWeights,
  labels: LabelMap,
  examples: readonly EncodedExample[],
): readonly number[] {
  if (asked === "balanced") return balanced(classCounts(examples, labels.names.length));
  const weights = labels.names.map(() => 1);
  const problems = Object.entries(asked).flatMap(([name, weight]) => {
    const id = labels.names.indexOf(name);
    if (id < 0)
      return [
        `class weights: no class is named "${name}"${suggestion(name, labels.names)}; allowed: ${listed(labels)}`,
      ];
    if (!Number.isFinite(weight) || weight <= 0)
      return [`class weights: "${name}" weighs ${weight}; allowed: numbers above 0`];
    weights[id] = weight;
    return [];
  });
  refuse(problems);
  return weights;
}

const listed = ({ names }: LabelMap): string => names.slice(0, 20).join(", ");

/** A class without items weighs nothing that anybody sees; it is given 1. */
function balanced(counts: readonly number[]): readonly number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count === 0 ? 1 : all / (counts.length * count)));
}

/** How many items have each class. */
function classCounts(examples: readonly EncodedExample[], classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const { target } of examples) {
    const ids = target?.kind === "class" ? [target.id] : target?.kind === "tokens" ? target.ids : [];
    for (const id of ids) if (counts[id] !== undefined) counts[id]++;
  }
  return counts;
}

/** What a batch's items weigh together; items without a label weigh nothing. */
export function weightOf(labels: HostTensor | undefined, classWeights: readonly number[]): number {
  let sum = 0;
  for (const id of labels?.data ?? []) sum += classWeights[Number(id)] ?? 0;
  return sum;
}

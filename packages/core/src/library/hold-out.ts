import { type AlikeRows, alikeRows, labelText, sameRows } from "../data/rows/equal-rows.ts";
import { type ExampleSet, rowLabel } from "../data/rows/examples.ts";
import { InputError } from "../errors.ts";
import { objectiveOf, type Task } from "../objectives/objectives.ts";
import { random } from "../tensor/random.ts";
import { choosesFreely } from "./standard-training.ts";

/** Fewer rows than these are all trained on. */
const fewestRows = 10;

/** The share of rows that is held out where no validation is named: a tenth, where rows may be chosen freely and are enough. */
export function standardShare(set: ExampleSet, task: Task, shuffle: boolean): number {
  return choosesFreely(set, task, shuffle) && hasRows(set.examples) ? 0.1 : 0;
}

/** Whether so many of a set's rows differ, copies that a weight makes aside, that some can be spared. */
function hasRows(examples: ExampleSet["examples"]): boolean {
  const seen = new Set<object>();
  for (const example of examples) if (seen.add(example).size >= fewestRows) return true;
  return false;
}

/**
 * Parts a set's rows by chance, the same way for the same seed: of each class as nearly the same share as whole rows allow.
 * Rows that a model reads alike stay on one side, whether their file weighs more or the data have them twice; held out,
 * those of the same label are scored once. Where fewer than ten rows differ, only the copies that a weight makes do so.
 * @throws InputError where a part would be empty
 */
export function holdOutRows(
  set: ExampleSet,
  share: number,
  seed: number,
  task?: Task,
  found: AlikeRows = alikeRows(set),
): { readonly train: ExampleSet; readonly validation: ExampleSet } {
  const alike = keepsTogether(found) ? found.first : sameRows(set).first;
  const rows = alike.filter((first, row) => first === row);
  const { length } = rows;
  const count = Math.max(1, Math.round(length * share));
  if (count >= length)
    throw new InputError(`cannot hold out ${share} of ${length} examples; both parts need at least one`);
  const groups = groupsOf(set, rows, task);
  const isHeld = new Uint8Array(alike.length);
  for (const [i, taken] of sharesOf(groups, count / length, count).entries()) {
    const group = groups[i] ?? [];
    for (const place of random(seed, "validation share").order(group.length).subarray(0, taken))
      isHeld[group[place] ?? 0] = 1;
  }
  const held: number[] = [];
  const kept = new Uint32Array(alike.length);
  for (const [row, first] of alike.entries())
    if (isHeld[first]) held.push(row);
    else kept[row - held.length] = row;
  const scored = scoredOnce(set, alike, held);
  return {
    train: someExamples(set, kept.subarray(0, alike.length - held.length)),
    validation: someExamples(set, scored),
  };
}

/** Whether rows that a model reads alike are held out together. */
export const keepsTogether = ({ different }: AlikeRows): boolean => different >= fewestRows;

/** Of rows that are alike in text and label the first. */
function scoredOnce({ examples }: ExampleSet, alike: Uint32Array, rows: readonly number[]): readonly number[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const example = examples[row];
    return example !== undefined && seen.size < seen.add(`${alike[row]} ${labelText(example)}`).size;
  });
}

/** `count` rows of a set by seed 0; fewer are a part of more. */
export function drawRows(set: ExampleSet, count: number): ExampleSet {
  const { length } = set.examples;
  if (count > length) throw new InputError(`there are ${length} rows to train on, fewer than ${count}`);
  return someExamples(set, random(0, "training rows").order(length).slice(0, count).sort());
}

/** Some of a set's examples, each in its own place. */
export const someExamples = (set: ExampleSet, rows: ArrayLike<number>): ExampleSet => ({
  ...set,
  examples: Array.from({ length: rows.length }, (_, index) => set.examples[rows[index]!]!),
  placeOf: (index) => set.placeOf(rows[index] ?? index),
});

/** The rows of each class; one group where rows have no classes. */
function groupsOf({ examples }: ExampleSet, rows: Uint32Array, task: Task | undefined): readonly Uint32Array[] {
  const parted = task !== undefined && objectiveOf(task).hasClasses;
  const sizes = new Map<unknown, { readonly number: number; rows: number }>();
  const groupOf = rows.map((row) => {
    const example = examples[row];
    const label = parted && example ? rowLabel(example) : undefined;
    const group = sizes.get(label) ?? { number: sizes.size, rows: 0 };
    if (group.rows++ === 0) sizes.set(label, group);
    return group.number;
  });
  const groups = [...sizes.values()].map((group) => new Uint32Array(group.rows));
  const filled = new Uint32Array(groups.length);
  for (const [at, row] of rows.entries()) {
    const number = groupOf[at]!;
    groups[number]![filled[number]!++] = row;
  }
  return groups;
}

/** How many rows each group gives: its share rounded down, and one more where most was lost, until there are `count`. */
function sharesOf(groups: readonly Uint32Array[], share: number, count: number): readonly number[] {
  const exact = groups.map(({ length }) => length * share);
  const whole = exact.map(Math.floor);
  const missing = count - whole.reduce((sum, each) => sum + each, 0);
  const lost = exact.map((each, i) => [each - Math.floor(each), i] as const);
  const raised = new Set(
    lost
      .sort(([a, i], [b, j]) => b - a || i - j)
      .slice(0, missing)
      .map(([, i]) => i),
  );
  return whole.map((each, i) => each + (raised.has(i) ? 1 : 0));
}

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
  const places = [...alike.keys()];
  const rows = firsts(alike);
  const { length } = rows;
  const count = Math.max(1, Math.round(length * share));
  if (count >= length)
    throw new InputError(`cannot hold out ${share} of ${length} examples; both parts need at least one`);
  const groups = groupsOf(set, rows, task).map((group) => random(seed, "validation share").shuffle(group));
  const held = new Set(sharesOf(groups, count / length, count).flatMap((taken, i) => groups[i]?.slice(0, taken) ?? []));
  const isHeld = (row: number) => held.has(alike[row] ?? row);
  const kept = places.filter((row) => !isHeld(row));
  const scored = scoredOnce(set, alike, places.filter(isHeld));
  return { train: someExamples(set, kept), validation: someExamples(set, scored) };
}

/** Whether rows that a model reads alike are held out together. */
export const keepsTogether = ({ different }: AlikeRows): boolean => different >= fewestRows;

function firsts(units: Uint32Array): readonly number[] {
  const found: number[] = [];
  for (const [row, first] of units.entries()) if (row === first) found.push(row);
  return found;
}

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
  const order = random(0, "training rows").shuffle(Array.from({ length }, (_, row) => row));
  return someExamples(
    set,
    order.slice(0, count).sort((a, b) => a - b),
  );
}

/** Some of a set's examples, each in its own place. */
export const someExamples = (set: ExampleSet, rows: readonly number[]): ExampleSet => ({
  ...set,
  examples: rows.flatMap((row) => set.examples[row] ?? []),
  placeOf: (index) => set.placeOf(rows[index] ?? index),
});

/** The rows of each class; one group where rows have no classes. */
function groupsOf(
  { examples }: ExampleSet,
  rows: readonly number[],
  task: Task | undefined,
): readonly (readonly number[])[] {
  const groups = new Map<unknown, number[]>();
  const parted = task !== undefined && objectiveOf(task).hasClasses;
  for (const row of rows) {
    const example = examples[row];
    const label = parted && example ? rowLabel(example) : undefined;
    const group = groups.get(label);
    if (group) group.push(row);
    else groups.set(label, [row]);
  }
  return [...groups.values()];
}

/** How many rows each group gives: its share rounded down, and one more where most was lost, until there are `count`. */
function sharesOf(groups: readonly (readonly number[])[], share: number, count: number): readonly number[] {
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

import type { ExampleSet } from "../../data/rows/examples.ts";
import { InputError } from "../../errors.ts";

/**
 * The classes that a row's list of numbers names. A list with as many numbers as there are classes, all 0 or 1, has a 1
 * for each class of the row, as transformers takes it; any other holds the classes' numbers.
 */
export const classesIn = (list: Int32Array, classes: number): readonly number[] =>
  list.length === classes && isVector(list) ? [...list.keys()].filter((id) => list[id] === 1) : [...list];

/** What is wrong with a row's list, for so many classes. */
export function listProblem(list: Int32Array, classes: number): string | undefined {
  const found = classesIn(list, classes);
  const strange = found.find((id) => id < 0 || id >= classes);
  if (strange !== undefined) return `label ${strange}; the classes are 0 to ${classes - 1}`;
  if (new Set(found).size === found.length) return undefined;
  return `${list.length} labels that repeat themselves; a list of 0 and 1 has one for each of the ${classes} classes`;
}

/**
 * How many classes the rows' lists are of: a list that repeats a number is a vector of 0 and 1, as long as there are
 * classes, and so are all where they have one length and no other numbers; else the largest number says it.
 * @throws InputError for vectors of several lengths
 */
export function countedClasses(set: ExampleSet): number {
  const lists = set.examples.flatMap((example) =>
    example.kind === "tokens" && example.labels ? [example.labels] : [],
  );
  const lengths = new Set(lists.filter((list) => new Set(list).size < list.length).map(({ length }) => length));
  if (lengths.size > 1)
    throw new InputError(`${set.name}: vectors of 0 and 1 have one length, and these have ${[...lengths].join(", ")}`);
  const [vector] = lengths;
  if (vector !== undefined) return vector;
  const [first] = lists;
  const alike = first && first.length > 1 && lists.every((list) => list.length === first.length && isVector(list));
  return alike ? first.length : lists.reduce((most, list) => list.reduce((a, id) => Math.max(a, id + 1), most), 0);
}

const isVector = (list: Int32Array): boolean => list.every((value) => value === 0 || value === 1);

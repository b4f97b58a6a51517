import { InputError, suggestion } from "../../errors.ts";
import { refuseRows } from "../tables/table.ts";
import { type Example, type ExampleSet, ignoredLabel, type Label, rowLabel } from "./examples.ts";

/** The classes of a task: class i is `labels[i]`, written `names[i]`. */
export interface LabelMap {
  /** as the data have them: numbers, booleans and texts */
  readonly labels: readonly Label[];
  /** the same as texts */
  readonly names: readonly string[];
  /** the class of a label, by the rule of {@link labelMap}; undefined where there is none */
  idOf(label: Label): number | undefined;
}

/**
 * The classes that these labels stand for, as a config's `id2label` lists them in order. What a label means depends on
 * nothing but these names: it is the class whose name is its text, so that the number 5 and the text "5" are one; else
 * the only one whose name is its text in another case; else, of an integer, the class of that number, unless a name
 * speaks of another one ("1 star" is class 0, so that nobody can say what 1 means).
 */
export function labelMap(labels: readonly Label[]): LabelMap {
  const names = labels.map(String);
  const ids = new Map(names.map((name, id) => [name, id]));
  const folded = new Map<string, number | undefined>();
  for (const [id, name] of names.entries())
    folded.set(name.toLowerCase(), folded.has(name.toLowerCase()) ? undefined : id);
  const numbered = names.every((name, id) => (name.match(/\d+/g) ?? []).every((digits) => Number(digits) === id));
  return {
    labels,
    names,
    idOf: (label) => {
      const text = String(label);
      const byName = ids.get(text) ?? folded.get(text.toLowerCase());
      if (byName !== undefined || !numbered || !isClassNumber(text)) return byName;
      return Number(text) < names.length ? Number(text) : undefined;
    },
  };
}

/** The given names where there is one for every label, else LABEL_0, LABEL_1, … as transformers has them. */
export function labelNames(count: number, given: readonly Label[] | undefined): readonly Label[] {
  return given?.length === count ? given : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
}

/** A head with more classes is a mistake in the data: an identifier in place of a class number. */
const mostClasses = 100_000;

/** A number as JSON writes it, so that "05" and "1.50" are texts. */
const isNumeral = (text: string) => /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?(?:e[+-]?\d+)?$/.test(text);
const isClassNumber = (text: string) => /^(?:0|[1-9]\d*)$/.test(text);

/**
 * The classes of a data set: those that its files name in their order, else its labels, sorted: numbers by size, then texts by code unit. Integers that come with
 * tokens or stand at every word are class numbers, also where some class below the largest has no row.
 * @throws InputError when there are fewer than two classes, or class numbers that no head could have.
 */
export function learnLabels(set: ExampleSet): LabelMap {
  const distinct = distinctLabels(set);
  if (set.classes && distinct.every((label) => set.classes?.includes(String(label)))) return labelMap(set.classes);
  const numbers = distinct.flatMap((label) => (isClassNumber(String(label)) ? [Number(label)] : []));
  const largest = numbers.reduce((a, b) => Math.max(a, b), -1);
  const areIds = numbers.length === distinct.length && set.examples[0]?.kind !== "text";
  if (areIds && largest >= mostClasses)
    throw new InputError(`${set.name}: a label is ${largest}; class numbers stay below ${mostClasses}`);
  const labels = areIds ? Array.from({ length: largest + 1 }, (_, id) => id) : distinct;
  if (labels.length < 2) {
    const what = labels.length === 0 ? "no row has a label" : `every row has the label "${labels[0]}"`;
    throw new InputError(`${set.name}: ${what}; classification needs at least two`);
  }
  return labelMap(labels);
}

/**
 * The labels of a data set, each once and sorted: numbers by size, then texts by code unit. A label that rows write in
 * several ways, as the number 5 and the text "5", is a text.
 */
export const distinctLabels = (set: ExampleSet): readonly Label[] => distinctOf(tally(set));

/** A set's labels as {@link distinctLabels} has them, and how many rows, words or tokens have each, by its text. */
export interface CountedLabels {
  readonly labels: readonly Label[];
  readonly counts: ReadonlyMap<string, number>;
}

/** Both by one walk over the rows, of which a large file has many. */
export function countLabels(set: ExampleSet): CountedLabels {
  const tallied = tally(set);
  const counts = new Map<string, number>();
  for (const [label, { count }] of tallied) counts.set(String(label), (counts.get(String(label)) ?? 0) + count);
  return { labels: distinctOf(tallied), counts };
}

function tally(set: ExampleSet): ReadonlyMap<Label, { count: number }> {
  const counts = new Map<Label, { count: number }>();
  const add = (label: Label) => {
    const known = counts.get(label);
    if (known) known.count += 1;
    else counts.set(label, { count: 1 });
  };
  for (const example of set.examples) {
    const own = example.kind === "text" && !example.labels ? example.label : undefined;
    if (own !== undefined) add(own);
    else for (const label of labelsOf(example)) add(label);
  }
  return counts;
}

function distinctOf(tallied: ReadonlyMap<Label, unknown>): readonly Label[] {
  const found = new Map<string, Label>();
  for (const label of tallied.keys()) found.set(String(label), found.has(String(label)) ? String(label) : label);
  return [...found.values()].sort(inOrder);
}

function inOrder(a: Label, b: Label): number {
  const [first, second] = [String(a), String(b)];
  const [one, other] = [isNumeral(first), isNumeral(second)];
  if (one && other && Number(first) !== Number(second)) return Number(first) - Number(second);
  if (one !== other) return one ? -1 : 1;
  return first < second ? -1 : 1;
}

/**
 * Checks a data set against classes that are given (a config's, an adapter's, those of the training set).
 * @throws InputError naming the line of every label (ten at most) that is none of them, and the allowed ones.
 */
export const checkLabels = (set: ExampleSet, map: LabelMap): void => refuseRows(labelProblems(set, map));

/** The line of every label that is none of the classes, and the allowed ones. */
export function labelProblems(set: ExampleSet, map: LabelMap): readonly string[] {
  const shown = map.names.slice(0, 20).join(", ");
  const allowed = `; allowed: ${shown}${map.names.length > 20 ? `, … (${map.names.length})` : ""}`;
  const known = new Set([...tally(set).keys()].filter((label) => map.idOf(label) !== undefined));
  const problems: string[] = [];
  for (const [index, example] of set.examples.entries()) {
    if (example.kind === "text" && example.label !== undefined && known.has(example.label)) continue;
    for (const label of new Set(labelsOf(example))) {
      if (known.has(label)) continue;
      problems.push(
        typeof label === "number"
          ? `${set.placeOf(index)}: label ${label} is not one of the ${map.names.length} classes${allowed}`
          : `${set.placeOf(index)}: unknown label "${label}"${suggestion(String(label), map.names)}${allowed}`,
      );
    }
  }
  return problems;
}

/** The labels of a row or of its tokens or words, without those that count for nothing. */
export function labelsOf(example: Example): readonly Label[] {
  if (example.kind === "words") return example.labels ?? [];
  if (example.kind === "tokens" && example.labels) return [...example.labels].filter((id) => id !== ignoredLabel);
  if (example.kind === "text" && example.labels) return example.labels;
  const label = rowLabel(example);
  return label === undefined ? [] : [label];
}

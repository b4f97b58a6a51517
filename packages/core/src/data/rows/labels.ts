import { InputError, suggestion } from "../../errors.ts";
import { refuseRows } from "../tables/table.ts";
import { type Example, type ExampleSet, ignoredLabel, type Label, rowLabel } from "./examples.ts";

/** The classes of a task: class i is called `names[i]`. */
export interface LabelMap {
  readonly names: readonly string[];
  /** The class of a label: by its name, or, as an integer, by its number; undefined where there is none. */
  idOf(label: Label): number | undefined;
}

/**
 * The classes that these names stand for, as a config's `id2label` lists them in order. Where the names are themselves
 * integers ("1", "2", …), an integer label is a name and never a number.
 */
export function labelMap(names: readonly string[]): LabelMap {
  const ids = new Map(names.map((name, id) => [name, id]));
  const numbered = names.every((name) => isInteger(name));
  return {
    names,
    idOf: (label) => {
      const byName = ids.get(String(label));
      if (byName !== undefined || numbered || !isInteger(String(label))) return byName;
      const id = Number(label);
      return id >= 0 && id < names.length ? id : undefined;
    },
  };
}

/** A head with more classes is a mistake in the data: an identifier in place of a class number. */
const mostClasses = 100_000;

const isInteger = (text: string) => /^-?\d+$/.test(text);

/**
 * The classes of a data set that brings none: integers 0 … n-1 are class numbers (named LABEL_i, as transformers does),
 * other labels are names, sorted (numbers by size, text by code unit). Integers that come with tokens or stand at every
 * word are always class numbers, also where some class below the largest has no row.
 * @throws InputError when there are fewer than two classes, or class numbers that no head could have.
 */
export function learnLabels(set: ExampleSet): LabelMap {
  const distinct = [...new Set(set.examples.flatMap(labelsOf))];
  const integers = distinct.filter((label) => typeof label === "number" && Number.isInteger(label)).map(Number);
  const largest = integers.reduce((a, b) => Math.max(a, b), -1);
  const numbered = integers.length === distinct.length && integers.every((id) => id >= 0);
  const areIds = numbered && (largest + 1 === distinct.length || set.examples[0]?.kind !== "text");
  if (areIds && largest >= mostClasses)
    throw new InputError(`${set.name}: a label is ${largest}; class numbers stay below ${mostClasses}`);
  const names = areIds ? Array.from({ length: largest + 1 }, (_, id) => `LABEL_${id}`) : sorted(distinct).map(String);
  if (names.length < 2) {
    const what = names.length === 0 ? "no row has a label" : `every row has the label "${distinct[0]}"`;
    throw new InputError(`${set.name}: ${what}; classification needs at least two`);
  }
  return labelMap(names);
}

/**
 * Checks a data set against classes that are given (a config's, an adapter's, those of the training set).
 * @throws InputError naming the line of every label (ten at most) that is none of them, and the allowed ones.
 */
export function checkLabels(set: ExampleSet, map: LabelMap): void {
  const shown = map.names.slice(0, 20).join(", ");
  const allowed = `; allowed: ${shown}${map.names.length > 20 ? `, … (${map.names.length})` : ""}`;
  refuseRows(
    set.examples.flatMap((example, index) => {
      const unknown = [...new Set(labelsOf(example))].filter((label) => map.idOf(label) === undefined);
      return unknown.map((label) => {
        if (typeof label === "number")
          return `${set.placeOf(index)}: label ${label} is not one of the ${map.names.length} classes${allowed}`;
        return `${set.placeOf(index)}: unknown label "${label}"${suggestion(label, map.names)}${allowed}`;
      });
    }),
  );
}

function labelsOf(example: Example): readonly Label[] {
  if (example.kind === "words") return example.labels ?? [];
  if (example.kind === "tokens" && example.labels) return [...example.labels].filter((id) => id !== ignoredLabel);
  const label = rowLabel(example);
  return label === undefined ? [] : [label];
}

function sorted(labels: readonly Label[]): readonly Label[] {
  return [...labels].sort((a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a) < String(b) ? -1 : 1;
  });
}

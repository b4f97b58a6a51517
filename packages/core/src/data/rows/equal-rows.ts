import { atOnce, type Steps } from "../tables/in-steps.ts";
import type { Example, ExampleSet } from "./examples.ts";
import { hashOfRow } from "./packed-texts.ts";
import { hashOfText } from "./text-hash.ts";

/** Which rows a model reads alike. */
export interface AlikeRows {
  /** for each row the place of the first that is like it */
  readonly first: Uint32Array;
  /** how many rows differ */
  readonly different: number;
}

/** Which rows of a set a model reads alike. */
export const alikeRows = (set: ExampleSet): AlikeRows => atOnce(alikeSteps(set));

/** Rows that are compared between two steps. */
const comparedRows = 16_384;

/** The same in steps, for a set that may be large. */
export function* alikeSteps({ examples }: ExampleSet): Steps<AlikeRows> {
  const known = rowIndex(examples);
  const first = new Uint32Array(examples.length);
  let different = 0;
  for (const [row, example] of examples.entries()) {
    if (row % comparedRows === comparedRows - 1) yield row;
    first[row] = known.add(example, row);
    if (first[row] === row) different += 1;
  }
  return { first, different };
}

/** Which rows are the same example, as copies are that a file's weight makes. */
export function sameRows({ examples }: ExampleSet): AlikeRows {
  const known = new Map<Example, number>();
  const first = Uint32Array.from(examples, (example, row) => {
    const before = known.get(example) ?? row;
    known.set(example, before);
    return before;
  });
  return { first, different: known.size };
}

/** Rows of a list by what a model reads of them. */
export interface RowIndex {
  /** Notes a row, unless one that is read alike is there; the place of that one, or its own. */
  add(example: Example, row: number): number;
  /** The place of the row that is read like this one. */
  find(example: Example): number | undefined;
}

/**
 * An index of some of these rows: a table of places by a hash of 32 bits, since a large file's texts as keys would take its
 * memory a second time.
 */
export function rowIndex(examples: readonly Example[]): RowIndex {
  const slots = 2 ** Math.ceil(Math.log2(2 * examples.length + 1));
  const places = new Uint32Array(slots); // a row's place and one; 0 where there is none
  const hashes = new Uint32Array(examples.length);
  const areAlike = (row: number, example: Example) => {
    const known = examples[row];
    return known !== undefined && inputOf(known) === inputOf(example);
  };
  const slotOf = (example: Example, hash: number) => {
    let slot = hash & (slots - 1);
    for (let row = places[slot] ?? 0; row !== 0; row = places[slot] ?? 0) {
      if (hashes[row - 1] === hash && areAlike(row - 1, example)) break;
      slot = (slot + 1) & (slots - 1);
    }
    return slot;
  };
  return {
    add(example, row) {
      const hash = hashOf(example);
      const slot = slotOf(example, hash);
      const place = places[slot] ?? 0;
      if (place !== 0) return place - 1;
      places[slot] = row + 1;
      hashes[row] = hash;
      return row;
    },
    find(example) {
      const place = places[slotOf(example, hashOf(example))] ?? 0;
      return place === 0 ? undefined : place - 1;
    },
  };
}

const hashOf = (example: Example): number =>
  example.kind === "text" ? hashOfRow(example) : hashOfText(inputOf(example));

/** What a model reads of a row, without its label. */
function inputOf(example: Example): string {
  switch (example.kind) {
    case "text":
      return example.pair === undefined ? example.text : `${example.text}\u0000${example.pair}`;
    case "tokens":
      return example.inputIds.join(" ");
    case "words":
      return example.words.join("\u0000");
    case "completion":
      return `${example.prompt}\u0000${example.completion}`;
    case "messages":
      return JSON.stringify([example.messages, example.tools]);
  }
}

/** A row's labels as one text; the same for a number and for the text that is written like it. */
export function labelText(example: Example): string {
  if (example.kind === "words" || (example.kind === "text" && example.labels))
    return example.labels?.join("\u0000") ?? "";
  if (example.kind === "tokens" && example.labels) return example.labels.join(" ");
  return "label" in example && example.label !== undefined ? String(example.label) : "";
}

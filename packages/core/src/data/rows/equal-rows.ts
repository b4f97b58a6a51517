import type { Example, ExampleSet } from "./examples.ts";
import { atOnce, type Steps } from "./in-steps.ts";

/** Which rows a model reads alike. */
export interface AlikeRows {
  /** for each row the place of the first that is like it */
  readonly first: Uint32Array;
  /** how many rows differ */
  readonly different: number;
}

/** Which rows of a set a model reads alike. */
export const alikeRows = (set: ExampleSet): AlikeRows => atOnce(alikeSteps(set));

/** The same in steps, for a set that may be large. */
export const alikeSteps = ({ examples }: ExampleSet): Steps<AlikeRows> => firstsBy(examples, inputOf);

/** Which rows are the same example, as copies are that a file's weight makes. */
export const sameRows = ({ examples }: ExampleSet): AlikeRows => atOnce(firstsBy(examples, (example) => example));

/** Rows that are compared between two steps. */
const comparedRows = 65_536;

function* firstsBy<K>(examples: readonly Example[], key: (example: Example) => K): Steps<AlikeRows> {
  const known = new Map<K, number>();
  const first = new Uint32Array(examples.length);
  for (const [row, example] of examples.entries()) {
    if (row % comparedRows === comparedRows - 1) yield row;
    const own = key(example);
    const before = known.get(own);
    if (before === undefined) known.set(own, row);
    first[row] = before ?? row;
  }
  return { first, different: known.size };
}

/** What a model reads of a row, without its label. */
export function inputOf(example: Example): string {
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

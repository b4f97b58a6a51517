import type { Example, ExampleSet } from "./examples.ts";

/** Which rows a model reads alike. */
export interface AlikeRows {
  /** for each row the place of the first that is like it */
  readonly first: Uint32Array;
  /** how many rows differ */
  readonly different: number;
}

/** Rows that are compared between two pauses. */
const rowsAtOnce = 65_536;

/** Which rows of a set a model reads alike. */
export function alikeRows({ examples }: ExampleSet): AlikeRows {
  return atOnce(firstsBy(examples, inputOf));
}

/** The same for a set that may be large; `pause` is awaited now and then. */
export async function alikeRowsOf(
  { examples }: ExampleSet,
  pause: (() => Promise<void>) | undefined,
): Promise<AlikeRows> {
  const steps = firstsBy(examples, inputOf);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await pause?.();
  }
}

/** Which rows are the same example, as copies are that a file's weight makes. */
export function sameRows({ examples }: ExampleSet): AlikeRows {
  return atOnce(firstsBy(examples, (example) => example));
}

function atOnce(steps: Generator<undefined, AlikeRows>): AlikeRows {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function* firstsBy<K>(examples: readonly Example[], key: (example: Example) => K): Generator<undefined, AlikeRows> {
  const known = new Map<K, number>();
  const first = new Uint32Array(examples.length);
  for (const [row, example] of examples.entries()) {
    if (row % rowsAtOnce === rowsAtOnce - 1) yield;
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

import type { Example, ExampleSet } from "./examples.ts";

/** For each row the place of the first that a model reads alike, which is its own where there is none in front of it. */
export const firstAlike = ({ examples }: ExampleSet): Uint32Array => firstsBy(examples, inputOf);

/** For each row the place of the first that is the same example, as copies are that a file's weight makes. */
export const firstSame = ({ examples }: ExampleSet): Uint32Array => firstsBy(examples, (example) => example);

function firstsBy<K>(examples: readonly Example[], key: (example: Example) => K): Uint32Array {
  const first = new Map<K, number>();
  return Uint32Array.from(examples, (example, row) => {
    const known = first.get(key(example));
    if (known === undefined) first.set(key(example), row);
    return known ?? row;
  });
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

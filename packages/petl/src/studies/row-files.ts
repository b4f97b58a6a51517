import { type Example, type ExampleSet, holdOut, InputError, random } from "@petl/core";

/**
 * The first N rows of a draw without replacement, in the set's own order; the draw is the same whatever N is, so that
 * fewer rows are among more.
 * @throws InputError where there are fewer
 */
export function drawRows(set: ExampleSet, count: number): ExampleSet {
  const { length } = set.examples;
  if (count > length) throw new InputError(`--train-rows ${count} is more than the ${length} rows of ${set.name}`);
  if (count === length) return set;
  const order = random(0, "train rows").shuffle(Array.from({ length }, (_, row) => row));
  return rowsOf(
    set,
    order.slice(0, count).sort((a, b) => a - b),
  );
}

/** Some rows of a set, by their places. */
export const rowsOf = (set: ExampleSet, rows: readonly number[]): ExampleSet => ({
  ...set,
  examples: rows.flatMap((row) => set.examples[row] ?? []),
  placeOf: (index) => set.placeOf(rows[index] ?? index),
});

/** Four fifths of the rows to train on and a fifth to choose on. */
export function selectionOf(set: ExampleSet): { readonly train: ExampleSet; readonly heldOut: ExampleSet } {
  const { kept, held } = holdOut([...set.examples.keys()], 0.2, 0);
  return { train: rowsOf(set, kept), heldOut: rowsOf(set, held) };
}

/** Rows as JSONL that is read back as the same rows. */
export const rowLines = ({ examples }: ExampleSet): string =>
  examples.map((example) => `${JSON.stringify(rowOf(example))}\n`).join("");

function rowOf(example: Example): Readonly<Record<string, unknown>> {
  switch (example.kind) {
    case "text": {
      const { text, pair, label, labels } = example;
      return {
        ...{ text, ...(pair !== undefined && { text_pair: pair }) },
        ...(label !== undefined && { label }),
        ...(labels && { labels }),
      };
    }
    case "tokens": {
      const { inputIds, attentionMask, tokenTypeIds, label, labels } = example;
      return {
        input_ids: [...inputIds],
        ...(attentionMask && { attention_mask: [...attentionMask] }),
        ...(tokenTypeIds && { token_type_ids: [...tokenTypeIds] }),
        ...(label !== undefined && { label }),
        ...(labels && { labels: [...labels] }),
      };
    }
    case "words":
      return { tokens: example.words, ...(example.labels && { tags: example.labels }) };
    case "completion":
      return { prompt: example.prompt, completion: example.completion };
    case "messages":
      return { messages: example.messages, ...(example.tools && { tools: example.tools }) };
  }
}

/** The fewest first rows of the draw that hold every label; 1 where rows have none. */
export function fewestRows(set: ExampleSet): number {
  const labels = new Set(set.examples.map(labelText));
  for (let count = labels.size; count < set.examples.length; count++) {
    if (new Set(drawRows(set, count).examples.map(labelText)).size === labels.size) return count;
  }
  return set.examples.length;
}

const labelText = (example: Example): string =>
  "label" in example && example.label !== undefined ? JSON.stringify(example.label) : "";

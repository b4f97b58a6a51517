import { drawRows, type Example, type ExampleSet, holdOutRows, type Task } from "@petl/core";

/** Four fifths of the rows to train on and a fifth to choose on. */
export function selectionOf(
  set: ExampleSet,
  task: Task,
): { readonly train: ExampleSet; readonly validation: ExampleSet } {
  return holdOutRows(set, 0.2, 0, task);
}

/** Rows as JSONL that is read back as the same rows. */
export const rowLines = ({ examples }: ExampleSet): string =>
  examples.map((example) => `${JSON.stringify(rowOf(example))}\n`).join("");

function rowOf(example: Example): Readonly<Record<string, unknown>> {
  switch (example.kind) {
    case "text": {
      const { text, pair, label, labels } = example;
      return {
        text,
        ...(pair !== undefined && { text_pair: pair }),
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

/** The fewest rows of the draw that hold every label; 1 where rows have none. */
export function fewestRows(set: ExampleSet): number {
  const labelsOf = ({ examples }: ExampleSet) => new Set(examples.map(labelText)).size;
  const all = labelsOf(set);
  let [few, enough] = [0, set.examples.length]; // fewer rows are a part of more
  while (enough - few > 1) {
    const middle = Math.floor((few + enough) / 2);
    if (labelsOf(drawRows(set, middle)) === all) enough = middle;
    else few = middle;
  }
  return enough;
}

const labelText = (example: Example): string =>
  "label" in example && example.label !== undefined ? JSON.stringify(example.label) : "";

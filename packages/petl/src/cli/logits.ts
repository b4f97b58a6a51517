import { asRead, type Prediction, predictionsOf } from "@petl/core";
import { readInput } from "../data/read-data.ts";
import { neededText } from "../flags/flags.ts";
import { finite } from "./finite.ts";
import { modelFlags, rowFlags, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

export const logitsVerb = defineVerb({
  name: "logits",
  group: "Ask and measure",
  summary: "print a model's logits, a JSON line for each row",
  flags: { ...modelFlags, ...rowFlags, input: neededText("FILE", 'JSONL with a row a line: {"input_ids": […], …}') },
  examples: [
    "logits --base models/tiny --input rows.jsonl",
    "logits --base google-bert/bert-base-uncased --adapter out --input rows.jsonl --batch 8",
  ],
  async run({ flags }, context) {
    const { set } = await readInput(flags.input);
    await withModel(flags, context, async (model) => {
      const { batch, maxLength } = flags;
      const all = predictionsOf(model, asRead(model, set, maxLength).rows, { batch, signal: context.signal });
      for await (const prediction of finite(all)) {
        for (const piece of logitsLine(prediction)) await context.write(piece);
      }
    });
  },
});

/** `{"logits": …}` in pieces: a row of a language model can be longer than the longest string. */
function* logitsLine({ shape, logits }: Prediction): Generator<string> {
  if (shape.length === 1) return yield `{"logits":${listed(logits)}}\n`;
  const classes = shape.at(-1) ?? 1;
  yield '{"logits":[';
  for (let start = 0; start < logits.length; start += classes) {
    yield `${start === 0 ? "" : ","}${listed(logits.subarray(start, start + classes))}`;
  }
  yield "]}\n";
}

const listed = (values: Float32Array) => JSON.stringify(Array.from(values));

import { type ExampleSet, InputError, type Prediction, predictions, type Tokenizer } from "@petl/core";
import { readData } from "../data.ts";
import { finite } from "./finite.ts";
import { text, texts } from "./flags.ts";
import { modelFlags, type OpenModel, rowFlags, withModel } from "./open.ts";
import { encodeRows } from "./rows.ts";
import { defineVerb } from "./verb.ts";

export const predictVerb = defineVerb({
  name: "predict",
  summary: "say what a model makes of texts, a JSON line for each",
  flags: {
    ...modelFlags,
    ...rowFlags,
    text: texts("TEXT", "a text; several may be given"),
    textPair: texts("TEXT", "the second text of a pair, as many as texts"),
    input: text("FILE", "a file of texts, pairs, words or rows of tokens: JSONL, CSV, TSV, Parquet"),
  },
  examples: [
    'predict --base models/tiny --adapter out --text "a fine film" --text "a dull one"',
    "predict --base models/tiny --adapter out --input reviews.jsonl",
  ],
  async run({ flags }, context) {
    const set = await rowsFrom(flags);
    await withModel(flags, context, async (model) => {
      const { task } = model.adapted.goal;
      if (task === "masked-lm") throw new InputError(`predict is for heads with labels; for ${task} use petl logits`);
      const { rows, tokenizer } = await encodeRows(set, model, { task: "none" }, flags);
      const all = predictions(rows, { ...model, batch: flags.batch, signal: context.signal });
      let row = 0;
      for await (const prediction of finite(all, model)) {
        const tokens = rows[row++]?.inputIds ?? [];
        await context.print(JSON.stringify(answer(prediction, model, tokenizer, tokens)));
      }
    });
  },
});

interface Rows {
  readonly text: readonly string[];
  readonly textPair: readonly string[];
  readonly input: string | undefined;
}

/** The texts of the command line, or those of a file. */
async function rowsFrom({ text, textPair, input }: Rows): Promise<ExampleSet> {
  if ((input === undefined) === (text.length === 0))
    throw new InputError("give texts with --text, or a file with --input");
  if (input !== undefined && textPair.length > 0)
    throw new InputError("--text-pair goes with --text, not with --input");
  if (input !== undefined) return (await readData([input], {})).set;
  if (textPair.length > 0 && textPair.length !== text.length) {
    throw new InputError(`${text.length} --text and ${textPair.length} --text-pair; each text needs its pair`);
  }
  const examples = text.map((first, i) => {
    const pair = textPair[i];
    return { kind: "text" as const, text: first, ...(pair === undefined ? {} : { pair }) };
  });
  return { name: "--text", examples, placeOf: (index) => `--text ${index + 1}`, columns: { text: "text" } };
}

/** What one row's logits say: its label and the labels' probabilities, or those of each of its tokens. */
function answer(
  { shape, logits }: Prediction,
  { adapted: { goal }, labels }: OpenModel,
  tokenizer: Tokenizer | undefined,
  ids: Iterable<number>,
): unknown {
  if (goal.task === "regression") return scored(labels, logits);
  if (shape.length === 1) return scored(labels, softmax(logits));
  const classes = labels.length;
  const tokens = Array.from({ length: shape[0] ?? 0 }, (_, at) =>
    scored(labels, softmax(logits.subarray(at * classes, (at + 1) * classes))),
  );
  return {
    ...(tokenizer && { tokens: Array.from(ids, (id) => tokenizer.tokenOf(id) ?? String(id)) }),
    label: tokens.map(({ label }) => label),
    score: tokens.map(({ score }) => score),
    scores: tokens.map(({ scores }) => scores),
  };
}

/** The label with the largest number. A regression has one. */
function scored(labels: readonly string[], values: ArrayLike<number>) {
  const scores = labels.map((label, id) => [label, values[id] ?? 0] as const);
  const [label, score] = scores.reduce((best, each) => (each[1] > best[1] ? each : best), scores[0] ?? ["", 0]);
  return { label, score, scores: Object.fromEntries(scores) };
}

/** exp(x - max) / Σ exp(x - max), in double precision */
function softmax(logits: Float32Array): readonly number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

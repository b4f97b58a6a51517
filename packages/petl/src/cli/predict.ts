import {
  asRead,
  type ExampleSet,
  heads,
  InputError,
  type OpenModel,
  objectiveOf,
  type Prediction,
  predictionsOf,
  type RowsRead,
  type Task,
  textAnswer,
  tokenAnswers,
} from "@petl/core";
import { readData } from "../data.ts";
import { finite } from "./finite.ts";
import { text, texts } from "./flags.ts";
import { modelFlags, rowFlags, withModel } from "./open.ts";
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
      if (!objectiveOf(task).answer)
        throw new InputError(`predict is for heads with labels; for ${task} use petl ${instead(task)}`);
      const { batch, maxLength } = flags;
      const encoded = asRead(model, set, maxLength);
      const all = predictionsOf(model, encoded.rows, { batch, signal: context.signal });
      let row = 0;
      for await (const prediction of finite(all, model)) {
        const said =
          prediction.shape.length === 1
            ? textAnswer(prediction, model)
            : ofTokens(prediction, model, names(set, encoded, row));
        await context.print(JSON.stringify(said));
        row++;
      }
    });
  },
});

const instead = (task: Task) => (heads[objectiveOf(task).head].goesOn ? "generate" : "logits");

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

/** What the answers of a row are for: words, each of which answers by its first token, or tokens. */
interface Names {
  readonly words?: readonly string[];
  readonly tokens?: readonly string[];
  /** positions of the row's answers; undefined for all of them, -1 for a word that was cut away */
  readonly positions?: Iterable<number>;
}

function names(set: ExampleSet, { rows, tokenizer, maxLength }: RowsRead, row: number): Names {
  const example = set.examples[row];
  if (!tokenizer || !example) return {};
  if (example.kind === "words") {
    return { words: example.words, positions: tokenizer.encodeWords(example.words, maxLength).firstTokens };
  }
  return { tokens: Array.from(rows[row]?.inputIds ?? [], (id) => tokenizer.tokenOf(id) ?? String(id)) };
}

/** Lists of what is said, one for each word or token; null for a word without one. */
function ofTokens(prediction: Prediction, model: OpenModel, { positions, ...named }: Names) {
  const answers = tokenAnswers(prediction, model, positions);
  return {
    ...named,
    label: answers.map((answer) => answer?.label ?? null),
    score: answers.map((answer) => answer?.score ?? null),
    scores: answers.map((answer) => answer?.scores ?? null),
  };
}

import {
  asReadInSteps,
  columnSettings,
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
  topKSetting,
  withBest,
} from "@petl/core";
import { pausing } from "../data/pausing.ts";
import type { ReadAccess } from "../data/read-data.ts";
import { optionalChoice, text, texts } from "../flags/flags.ts";
import { answerLines } from "./answer-lines.ts";
import { finite } from "./finite.ts";
import { modelFlags, rowFlags, shownDownload, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

export const predictVerb = defineVerb({
  name: "predict",
  group: "Ask and measure",
  summary: "say what a model makes of texts, a JSON line for each",
  otherNames: { text: "textColumn", textPair: "textPairColumn" },
  flags: {
    ...modelFlags,
    ...rowFlags,
    text: texts("TEXT", "a text; several may be given"),
    textPair: texts("TEXT", "the second text of a pair, as many as texts"),
    header: columnSettings.header,
    encoding: columnSettings.encoding,
    sheet: columnSettings.sheet,
    input: text("FILE", "texts, pairs, words or rows of tokens, of every kind of data; - for JSONL from stdin"),
    textColumn: text("COLUMN", "the column of --input that holds the text", "found by its name"),
    textPairColumn: text("COLUMN", "the column of --input that holds the second text"),
    topK: topKSetting,
    format: optionalChoice(["json", "csv"], "how answers are written (json)"),
  },
  examples: [
    'predict --base models/tiny --adapter out --text "a fine film" --text "a dull one"',
    "predict --base models/tiny --adapter out --input reviews.jsonl",
  ],
  async run({ flags }, context) {
    const { terminal, signal } = context;
    const { set, ids } = await rowsFrom(flags, { signal, onProgress: shownDownload("the data", terminal) });
    await withModel(flags, context, async (model) => {
      const { task } = model.adapted.goal;
      if (!objectiveOf(task).answer)
        throw new InputError(`predict is for heads with labels; for ${task} use petl ${instead(task)}`);
      const { batch, maxLength } = flags;
      const encoded = await asReadInSteps(model, set, { maxLength, pause: pausing(signal) });
      const all = predictionsOf(model, encoded.rows, { batch, signal: context.signal });
      let row = 0;
      const isTable = flags.format === "csv" && ids.some((id) => id !== undefined && id !== null);
      const { format = "json", topK } = flags;
      const write = answerLines({ format, labels: model.labels, bestFirst: topK !== undefined, print: context.print });
      for await (const prediction of finite(all)) {
        const said =
          prediction.shape.length === 1
            ? { ...withBest(textAnswer(prediction, model), topK), ...textOf(set, row) }
            : ofTokens(prediction, model, names(set, encoded, row));
        const id = ids[row] ?? undefined;
        await write(id === undefined && !isTable ? said : { ...said, id });
        row++;
      }
    });
  },
});

const instead = (task: Task) => (heads[objectiveOf(task).head].goesOn ? "generate" : "logits");

/** The text that an answer is for. */
function textOf(set: ExampleSet, row: number): object {
  const example = set.examples[row];
  if (example?.kind !== "text") return {};
  return { text: example.text, ...(example.pair !== undefined && { text_pair: example.pair }) };
}

interface Rows {
  readonly text: readonly string[];
  readonly textPair: readonly string[];
  readonly input: string | undefined;
  readonly header: boolean;
  readonly encoding: string | undefined;
  readonly sheet: string | undefined;
  readonly textColumn: string | undefined;
  readonly textPairColumn: string | undefined;
}

/** Rows to answer for, and the ids of those that have one. */
interface Asked {
  readonly set: ExampleSet;
  readonly ids: readonly unknown[];
}

/** The texts of the command line, or those of a file. */
async function rowsFrom(
  { text: given, textPair, input, textColumn, textPairColumn, ...reading }: Rows,
  access: ReadAccess,
): Promise<Asked> {
  if ((input === undefined) === (given.length === 0))
    throw new InputError("give texts with --text, or a file with --input");
  if (input !== undefined && textPair.length > 0)
    throw new InputError("--text-pair goes with --text, not with --input");
  if (input !== undefined) {
    const { readInput } = await import("../data/read-data.ts"); // texts of --text need none of it
    const { header, encoding, sheet } = reading;
    return readInput(input, { header, encoding, sheet, text: textColumn, textPair: textPairColumn }, access);
  }
  if (textColumn !== undefined || textPairColumn !== undefined)
    throw new InputError("--text-column and --text-pair-column go with --input");
  if (textPair.length > 0 && textPair.length !== given.length) {
    throw new InputError(`${given.length} --text and ${textPair.length} --text-pair; each text needs its pair`);
  }
  const examples = given.map((first, i) => {
    const pair = textPair[i];
    return { kind: "text" as const, text: first, ...(pair === undefined ? {} : { pair }) };
  });
  const placeOf = (index: number) => `--text ${index + 1}`;
  return { set: { name: "--text", examples, placeOf, columns: { text: "text" } }, ids: [] };
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

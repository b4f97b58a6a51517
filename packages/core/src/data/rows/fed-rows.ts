import { InputError } from "../../errors.ts";
import { atOnce, rowsInStep, type Steps } from "../tables/in-steps.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { turnByTurn } from "./chat-turns.ts";
import { answerNames, promptNames } from "./completion-rows.ts";
import { type EncodedExample, type EncodeOptions, encodeExamplesInSteps } from "./encode.ts";
import { type Example, type ExampleSet, ignoredLabel } from "./examples.ts";
import { chatTemplateOf } from "./message-rows.ts";
import { columnsNotRead } from "./row-remarks.ts";
import type { TargetRule } from "./target.ts";

export interface FeedOptions extends EncodeOptions {
  /** whether rows of text end with the tokenizer's end token; yes where left out */
  readonly endToken?: boolean | undefined;
}

/** Rows that a model learns from or is measured by. */
export interface FedRows {
  readonly rows: readonly EncodedExample[];
  /** the examples that they were made of, one for each */
  readonly set: ExampleSet;
  /** what was changed, cut and left out, in words */
  readonly remarks: readonly string[];
}

/**
 * The rows of a data set as a model learns them or is measured by them: those that teach nothing are left out, and what
 * was cut or left out is counted.
 * @throws InputError as `encodeExamples`; where no row teaches anything; a language model's rows whose answers stand in a
 * column that nobody reads
 */
export const feedRows = (set: ExampleSet, rule: TargetRule | undefined, options: FeedOptions): FedRows =>
  atOnce(feedSteps(set, rule, options));

/** The same in steps, for a set that may be large. */
export function* feedSteps(set: ExampleSet, rule: TargetRule | undefined, options: FeedOptions): Steps<FedRows> {
  const { set: told, remarks } = rule?.ofOwnTokens ? yield* languageRows(set, options) : { set, remarks: [] };
  const encoded = yield* encodeExamplesInSteps(told, rule, options);
  const kept = [...encoded.keys()].filter((row) => teaches(encoded[row]));
  const cut = yield* cutRows(told, encoded, options);
  return {
    rows: kept.length === encoded.length ? encoded : kept.flatMap((row) => encoded[row] ?? []),
    set: kept.length === encoded.length ? told : someOf(told, kept),
    remarks: [
      ...remarks,
      ...unknownRemark(told, encoded, options),
      ...cutRemark(cut, options),
      ...leftOutRemark(told, encoded.length - kept.length, cut, options),
    ],
  };
}

/** A part of a set's examples, by their places. */
export const someOf = (set: ExampleSet, places: readonly number[]): ExampleSet => ({
  ...set,
  examples: places.flatMap((place) => set.examples[place] ?? []),
  placeOf: (index) => set.placeOf(places[index] ?? index),
});

/** Whether any token of a row has a target; rows with one target have it. */
const teaches = (row: EncodedExample | undefined): boolean =>
  row?.target?.kind !== "tokens" || row.target.ids.some((id) => id !== ignoredLabel);

/** Rows of which the base knows no more than half: of another script than its own, or of signs. */
function unknownRemark(
  set: ExampleSet,
  encoded: readonly EncodedExample[],
  { tokenizer }: FeedOptions,
): readonly string[] {
  const { unk_token: unknown, ...others } = tokenizer?.specialIds ?? {};
  const special = new Set(Object.values(others));
  if (unknown === undefined || special.has(unknown)) return []; // GPT-2 calls its end unknown, and knows every byte
  const rows = [...encoded.keys()].filter((row) => {
    const ids = encoded[row]?.inputIds ?? [];
    let [known, lacking] = [0, 0];
    for (const id of ids) {
      if (id === unknown) lacking += 1;
      else if (!special.has(id)) known += 1;
    }
    return lacking > 0 && lacking >= known && set.examples[row]?.kind !== "tokens";
  });
  const [first] = rows;
  return first === undefined
    ? []
    : [
        `${rowsOf(rows.length)} whose words the base does not know, half of them or more (${tokenizer?.tokenOf(unknown)}), the first of them ${set.placeOf(first)}`,
      ];
}

/** How many rows lost tokens to the greatest length. */
function* cutRows(set: ExampleSet, encoded: readonly EncodedExample[], options: FeedOptions): Steps<number> {
  const full = [...encoded.keys()].filter((row) => (encoded[row]?.inputIds.length ?? 0) >= options.maxLength);
  const some = someOf(
    set,
    full.filter((row) => set.examples[row]?.kind !== "tokens"),
  );
  const whole = yield* encodeExamplesInSteps(some, undefined, { ...options, maxLength: 2 ** 31, longest: 2 ** 31 });
  return whole.filter(({ inputIds }) => inputIds.length > options.maxLength).length;
}

const rowsOf = (count: number) => (count === 1 ? "1 row" : `${count} rows`);

const cutRemark = (cut: number, { maxLength }: FeedOptions): readonly string[] =>
  cut === 0 ? [] : [`${rowsOf(cut)} cut after ${maxLength} tokens (\`maxLength\`)`];

function leftOutRemark(set: ExampleSet, count: number, cut: number, { maxLength }: FeedOptions): readonly string[] {
  if (count === 0) return [];
  const why = cut > 0 ? `; prompts fill the ${maxLength} tokens of \`maxLength\`, or hold nothing to be learnt` : "";
  if (count === set.examples.length)
    throw new InputError(`${set.name}: none of the ${rowsOf(count)} has a token that is learnt${why}`);
  return [`${rowsOf(count)} left out: no token of them is learnt`];
}

/** The examples of a causal language model: texts with their end, conversations whose turns can be told apart. */
function* languageRows(
  set: ExampleSet,
  { tokenizer, lossOn, endToken = true }: FeedOptions,
): Steps<{ readonly set: ExampleSet; readonly remarks: readonly string[] }> {
  refuseUnknownAnswers(set);
  const remarks = columnsNotRead(set);
  const end = tokenizer && endToken && set.examples[0]?.kind === "text" ? endOf(tokenizer) : undefined;
  if (end !== undefined) {
    const closed = set.examples.map(withEnd);
    const told = `rows of text end with ${JSON.stringify(end)}, so that the model learns to stop (\`endToken: "no"\`)`;
    return { set: { ...set, examples: closed }, remarks: [...remarks, told] };
  }
  if (!tokenizer || lossOn === "all" || set.examples[0]?.kind !== "messages") return { set, remarks };
  const parted = yield* inTurns(set, tokenizer);
  const more = parted.examples.length - set.examples.length;
  if (more === 0) return { set: parted, remarks };
  const told = `the chat template writes earlier turns otherwise than the last one: ${set.examples.length} conversations are learnt turn by turn, as ${parted.examples.length} rows`;
  return { set: parted, remarks: [...remarks, told] };
}

const endOf = ({ specialIds, tokenOf }: Tokenizer): string | undefined =>
  specialIds.eos_token === undefined ? undefined : tokenOf(specialIds.eos_token);

/** A text is an answer to nothing, so that its end is learnt as an answer's is. */
const withEnd = (example: Example): Example =>
  example.kind === "text" ? { kind: "completion", prompt: "", completion: example.text } : example;

function* inTurns(set: ExampleSet, tokenizer: Tokenizer): Steps<ExampleSet> {
  const template = chatTemplateOf(tokenizer);
  const places: number[] = [];
  const examples: Example[] = [];
  for (const [place, example] of set.examples.entries()) {
    if (place % rowsInStep === rowsInStep - 1) yield place;
    const turns =
      example.kind === "messages" ? placed(set.placeOf(place), () => turnByTurn(example, template)) : [example];
    for (const turn of turns) {
      places.push(place);
      examples.push(turn);
    }
  }
  return { ...set, examples, placeOf: (index) => set.placeOf(places[index] ?? index) };
}

/** Where the conversation stands that its template refuses. */
function placed<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${place}: ${error.message}`) : error;
  }
}

const isOneOf = (names: readonly string[], column: string) => names.includes(column.toLowerCase());
const quoted = (columns: readonly string[]) =>
  columns
    .slice(0, 20)
    .map((column) => `"${column}"`)
    .join(", ") + (columns.length > 20 ? `, … (${columns.length})` : "");
/** Columns that number rows and are no part of them. */
const isNumbering = (column: string) => /^(?:id|idx|index|guid|uuid|row|column\d+|__index_level_0__)$/i.test(column);

/** A model that learns a prompt alone, or one of two texts, learns something else than its user means. */
function refuseUnknownAnswers({ name, examples, columns: { text, pair, named, leftOut = [] } }: ExampleSet): void {
  if (examples[0]?.kind !== "text") return;
  const way = 'name the columns "prompt" and "completion", or the one that is the whole text with `text`';
  if (pair !== undefined)
    throw new InputError(
      `${name}: a language model learns one text a row, and ${quoted([text, pair])} are two; ${way}`,
    );
  if (named) return;
  const others = leftOut.filter((column) => !isNumbering(column));
  const answers = others.filter((column) => isOneOf(answerNames, column));
  const unknown = isOneOf(promptNames, text) ? others : answers;
  if (unknown.length > 0)
    throw new InputError(`${name}: "${text}" would be learnt and ${quoted(unknown)} left out; ${way}`);
}

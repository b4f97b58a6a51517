import { InputError } from "../../errors.ts";
import type { ChatMessage } from "../tokenizer/chat-template.ts";
import type { Encoding, Tokenizer } from "../tokenizer/tokenizer.ts";
import { kindOf, type RowResult } from "./cells.ts";
import { type Example, ignoredLabel } from "./examples.ts";
import { messagesOf } from "./message-rows.ts";

type CompletionExample = Extract<Example, { kind: "completion" }>;
type ConversationExample = Extract<Example, { kind: "messages" }>;
type Row = Readonly<Record<string, unknown>>;

/** The columns of rows with a text and how it should go on. */
interface CompletionColumns {
  readonly prompt: string;
  /** what else the prompt is made of: texts in front of it, turns in front of it, texts behind it; each may be empty */
  readonly system?: string;
  readonly history?: string;
  readonly contexts: readonly string[];
  readonly completion: string;
  /** what stands behind the prompt; its parts are a blank line apart where that is nothing */
  readonly between: "" | "\n" | "\n\n";
}

/** Names of prompts with those of their answers, and what stands between both. */
const layouts = [
  { prompts: ["prompt"], answers: ["completion", "response", "output", "answer"], between: "" },
  { prompts: ["instruction"], answers: ["output", "response", "completion", "answer"], between: "\n\n" },
  { prompts: ["mr"], answers: ["ref"], between: "\n" },
  {
    prompts: ["question", "query", "problem", "input", "user"],
    answers: ["answer", "response", "output", "completion", "solution", "assistant"],
    between: "",
  },
] as const;

/** Columns that hold what a language model should answer, whatever stands in front of it. */
export const answerNames: readonly string[] = [
  ...new Set(layouts.flatMap(({ answers }) => answers)),
  ...[
    "answers",
    "responses",
    "completions",
    "outputs",
    "reply",
    "summary",
    "highlights",
    "target",
    "chosen",
    "rejected",
  ],
];
/** Columns that hold what is asked, and not the whole text. */
export const promptNames: readonly string[] = layouts.flatMap(({ prompts }) => [...prompts]);

/**
 * The columns of completions where a file has them, in any case: `prompt` and `completion`; Alpaca's `instruction`,
 * `input`, `output`, `system` and `history`; Dolly's `instruction`, `context`, `response`; E2E's `mr` and `ref`; GSM8K's
 * `question` and `answer`. Beside a column `label` they are texts to tell apart.
 * @throws InputError for pairs of a better and a worse answer
 */
export function completionColumns(file: string, columns: readonly string[]): CompletionColumns | undefined {
  const find = (name: string) => columns.find((column) => column.toLowerCase() === name);
  const has = (...names: readonly string[]) => names.every((name) => find(name) !== undefined);
  if (has("chosen", "rejected"))
    throw new InputError(
      `${file}: "chosen" and "rejected" are preferences, which petl does not learn from; to learn the chosen answers alone, name their column "completion"`,
    );
  if (find("label") ?? find("labels")) return undefined;
  for (const { prompts, answers, between } of layouts) {
    const prompt = prompts.map(find).find((column) => column !== undefined);
    const completion = answers.map(find).find((column) => column !== undefined && column !== prompt);
    if (prompt === undefined || completion === undefined) continue;
    const [system, history] = [find("system"), find("history")];
    const contexts = ["input", "context"].flatMap((name) => find(name) ?? []).filter((column) => column !== prompt);
    return {
      prompt,
      contexts,
      completion,
      between,
      ...(system !== undefined && { system }),
      ...(history !== undefined && { history }),
    };
  }
  return undefined;
}

/** Every column that is read. */
export const columnsRead = ({ prompt, system, history, contexts, completion }: CompletionColumns): readonly string[] =>
  [system, history, prompt, ...contexts, completion].filter((column) => column !== undefined);

/**
 * A row of a prompt, whose parts end with what stands between them, and its completion. Where one of the two is a list
 * of messages, the row is a conversation of which the completion's turns are learnt.
 */
export function readCompletionRow(
  row: Row,
  columns: CompletionColumns,
): RowResult<CompletionExample | ConversationExample> {
  const { prompt, completion } = columns;
  if (Array.isArray(row[prompt]) || Array.isArray(row[completion])) return readTurns(row, columns);
  const parts = promptParts(row, columns);
  const problems = [...parts.problems];
  if (typeof row[completion] !== "string") problems.push(notText(completion, row[completion]));
  if (problems.length > 0) return { problems };
  const text = parts.texts.join(columns.between || "\n\n") + columns.between;
  return { example: { kind: "completion", prompt: text, completion: String(row[completion]) } };
}

const notText = (column: string, value: unknown) => `"${column}" is ${kindOf(value)} instead of text`;

function promptParts(row: Row, { prompt, system, history, contexts }: CompletionColumns) {
  const problems: string[] = [];
  const optional = (column: string | undefined): readonly string[] => {
    const value = column === undefined ? undefined : row[column];
    if (value === undefined || value === null || value === "") return [];
    if (typeof value === "string") return [value];
    problems.push(notText(column ?? "", value));
    return [];
  };
  const asked = row[prompt];
  if (typeof asked !== "string") problems.push(notText(prompt, asked));
  const turns = history === undefined ? [] : pastTurns(row[history]);
  if (!turns) problems.push(`"${history}" is no list of pairs of texts`);
  const texts = [...optional(system), ...(turns ?? []), String(asked), ...contexts.flatMap(optional)];
  return { texts, problems };
}

/** Alpaca's history: pairs of what was asked and answered. */
function pastTurns(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null || value === "") return [];
  if (!Array.isArray(value)) return undefined;
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string");
  return value.every(isPair) ? value.flat() : undefined;
}

function readTurns(row: Row, { prompt, completion }: CompletionColumns): RowResult<ConversationExample> {
  const turns = (column: string, role: string): readonly ChatMessage[] | string => {
    const value = row[column];
    return messagesOf(typeof value === "string" ? [{ role, content: value }] : value, column);
  };
  const [asked, answered] = [turns(prompt, "user"), turns(completion, "assistant")];
  const problems = [asked, answered].filter((found) => typeof found === "string");
  if (typeof asked === "string" || typeof answered === "string") return { problems };
  return { example: { kind: "messages", messages: [...asked, ...answered], learntFrom: asked.length } };
}

/**
 * A prompt with its completion and the tokenizer's end-of-text token, encoded together; the labels are those of the
 * tokens that the prompt alone doesn't begin with. What is longer than `maxLength` is cut at its end.
 */
export function encodeCompletion(
  { prompt, completion }: CompletionExample,
  tokenizer: Tokenizer,
  maxLength: number,
): Encoding & { readonly labels: Int32Array } {
  const eos = tokenizer.specialIds.eos_token;
  const whole = Array.from(tokenizer.encode(prompt + completion).inputIds);
  const closed = eos === undefined || whole.at(-1) === eos ? whole : [...whole, eos];
  const alone = tokenizer.encode(prompt).inputIds;
  const parting = alone.findIndex((id, token) => id !== whole[token]);
  const asked = parting < 0 ? alone.length : parting;
  const inputIds = Int32Array.from(closed.slice(0, maxLength));
  return {
    inputIds,
    attentionMask: new Int32Array(inputIds.length).fill(1),
    labels: inputIds.map((id, token) => (token < asked ? ignoredLabel : id)),
  };
}

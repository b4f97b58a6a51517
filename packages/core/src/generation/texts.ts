import { refuse } from "../errors.ts";
import { longestRow } from "../peft/longest-row.ts";
import type { Continuing } from "./continuing.ts";
import { type TextStream, textStream } from "./text-stream.ts";

/** One more token of one of the texts. */
export interface GeneratedToken {
  /** which prompt it continues */
  readonly row: number;
  readonly id: number;
  /** the text that it makes sure, which may be empty; "" without a tokenizer */
  readonly text: string;
  /** why the text ends with this token; undefined where it goes on */
  readonly end: "end of text" | "stop text" | "length" | undefined;
}

/** A text under way. */
export interface Text {
  /** which prompt it continues */
  readonly row: number;
  /** the prompt's tokens, with the new ones behind them */
  readonly ids: number[];
  /** how many of them are the prompt's */
  readonly begun: number;
  /** new tokens at most */
  readonly most: number;
  readonly stream: TextStream | undefined;
  /** tokens that end it */
  readonly ends: readonly number[];
  done: boolean;
}

/**
 * The texts that prompts begin.
 *
 * @throws InputError for prompts that are empty or longer than the model takes, and for stop texts without a tokenizer
 */
export function begunTexts(
  prompts: readonly Int32Array[],
  {
    adapted,
    settings,
    decode,
    endIds,
    turnEnds,
  }: Pick<Continuing, "adapted" | "settings" | "decode" | "endIds" | "turnEnds">,
): readonly Text[] {
  const longest = longestRow(adapted);
  const problems = prompts.flatMap(({ length }, row) => {
    if (length === 0) return [`prompt ${row + 1} is empty`];
    return length < longest
      ? []
      : [`prompt ${row + 1} has ${length} tokens; the model takes ${longest}, new ones included`];
  });
  if (!decode && settings.stop.length > 0) problems.push("stop texts need a tokenizer, which the base has not");
  refuse(problems);
  return prompts.map((prompt, row) => ({
    row,
    ids: Array.from(prompt),
    begun: prompt.length,
    done: false,
    most: Math.min(settings.maxTokens, longest - prompt.length),
    stream: decode && textStream(decode, settings.stop),
    ends: [...endIds, ...(turnEnds?.[row] ?? [])],
  }));
}

/**
 * What of a text is not to be repeated: the prompt with what is behind it, as in transformers, or the new tokens alone, as
 * in fairseq and in the LoRA paper's own beam search. A text that says what its prompt says cannot do without its words.
 */
export const unrepeated = (
  { ids, begun }: Text,
  { repetitionIgnoresPrompt }: Continuing["settings"],
): readonly number[] => (repetitionIgnoresPrompt ? ids.slice(begun) : ids);

/** Puts a token behind its text. */
export function appendToken(text: Text, id: number): GeneratedToken {
  text.ids.push(id);
  const { text: piece, stopped } = text.stream?.push(id) ?? { text: "", stopped: false };
  const end = text.ends.includes(id)
    ? "end of text"
    : stopped
      ? "stop text"
      : text.ids.length - text.begun === text.most
        ? "length"
        : undefined;
  text.done = end !== undefined;
  const rest = text.done && !stopped ? (text.stream?.finish() ?? "") : "";
  return { row: text.row, id, text: piece + rest, end };
}

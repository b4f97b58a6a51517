import {
  type Conversation,
  generate as continued,
  type GeneratedToken,
  type GenerationSettings,
  InputError,
  parseGenerationSettings,
  readGenerationConfig,
  type Tokenizer,
  templateOf,
  turnEnd,
} from "@petl/core";
import { directory } from "../disk/files.ts";
import type { OpenModel } from "./model.ts";

/** A text to go on with, its tokens, or a conversation whose next turn is the assistant's. */
export type PromptInput = string | Iterable<number> | Conversation;

/** How a model goes on; everything that is left out has a default, and then the likeliest tokens are taken. */
export interface GenerateOptions extends Partial<GenerationSettings> {
  /** ends the work between two tokens */
  readonly signal?: { throwIfAborted(): void };
}

/**
 * Goes on with a prompt and gives each token as soon as it is there: its id and the text that it makes sure.
 *
 * @throws InputError for a model that is no causal language model, and for prompts that don't fit
 */
export async function* generate(
  model: OpenModel,
  prompt: PromptInput,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, void> {
  const ids = idsOf(model, prompt, 0);
  yield* continued([ids], { ...(await continuing(model, options)), turnEnds: [turnEndsOf(model, prompt)] });
}

/** What a model made of a prompt: the new tokens only. */
export interface Completion {
  /** undefined without a tokenizer */
  readonly text: string | undefined;
  readonly ids: readonly number[];
  /** whether the text came to an end, by a token or a stop text, or is as long as it may be */
  readonly finishReason: "stop" | "length";
}

export interface CompletionOptions extends GenerateOptions {
  /** prompts that are computed together; 16 where left out */
  readonly batch?: number;
}

/** Goes on with many prompts, in their order. What becomes of one doesn't depend on those beside it. */
export async function* complete(
  model: OpenModel,
  prompts: readonly PromptInput[],
  { batch = 16, ...options }: CompletionOptions = {},
): AsyncGenerator<Completion, void, void> {
  const all = prompts.map((prompt, row) => idsOf(model, prompt, row));
  const how = await continuing(model, options);
  for (let start = 0; start < all.length; start += batch) {
    const some = all.slice(start, start + batch);
    const turnEnds = prompts.slice(start, start + batch).map((prompt) => turnEndsOf(model, prompt));
    const rows = some.map(() => ({ text: "", ids: [] as number[], finishReason: "length" as "stop" | "length" }));
    for await (const { row, id, text, end } of continued(some, { ...how, turnEnds }, start)) {
      const into = rows[row];
      if (!into) continue;
      into.ids.push(id);
      into.text += text;
      if (end !== undefined) into.finishReason = end === "length" ? "length" : "stop";
    }
    for (const { text, ids, finishReason } of rows) yield { text: how.decode && text, ids, finishReason };
  }
}

/** What the model, its folder and its tokenizer say of how texts go on and end. */
async function continuing({ base, adapted, phi }: OpenModel, { signal, ...given }: GenerateOptions) {
  const { engine, tokenizer } = base;
  const { endIds: own, ...suppressed } = await readGenerationConfig(directory(base.path));
  const end = tokenizer?.specialIds.eos_token;
  const settings = parseGenerationSettings(given);
  const asked = settings.eosToken.map((token) => askedId(tokenizer, token));
  return {
    ...{ engine, adapted, phi, signal, settings, ...suppressed },
    endIds: [...(own.length === 0 && end !== undefined ? [end] : own), ...asked],
    decode: tokenizer?.decode,
  };
}

function askedId(tokenizer: Tokenizer | undefined, token: string): number {
  if (!tokenizer) throw new InputError("tokens that end a text need a tokenizer, which the base has not");
  const id = tokenizer.idOf(token);
  if (id === undefined)
    throw new InputError(`the tokenizer has no token ${JSON.stringify(token)} that could end a text`);
  return id;
}

/** What ends the assistant's turn in a conversation; nothing more ends other prompts. */
function turnEndsOf({ base }: OpenModel, prompt: PromptInput): readonly number[] {
  if (typeof prompt === "string" || !("messages" in prompt) || !base.tokenizer) return [];
  const id = turnEnd(base.tokenizer);
  return id === undefined ? [] : [id];
}

/** A prompt's tokens; the tokenizer may know more of them than the model has a row for. */
export function idsOf(model: OpenModel, prompt: PromptInput, row: number): Int32Array {
  const { base } = model;
  const ids =
    typeof prompt === "string"
      ? textIds(base, prompt)
      : "messages" in prompt
        ? conversationIds(base, prompt)
        : Int32Array.from(prompt);
  const { vocabulary } = base.model.sizes;
  const strange = ids.find((id) => id < 0 || id >= vocabulary);
  if (strange === undefined) return ids;
  throw new InputError(`prompt ${row + 1}: input id ${strange}; the model knows 0 to ${vocabulary - 1}`);
}

/** A text's tokens, with those that the tokenizer puts in front; an empty text is the beginning of one. */
function textIds({ tokenizer, name }: OpenModel["base"], text: string): Int32Array {
  if (!tokenizer) throw new InputError(`${name} has no tokenizer; give the prompt's tokens`);
  const { bos_token: begin, eos_token: end } = tokenizer.specialIds;
  const ids = Array.from(tokenizer.encode(text).inputIds);
  if (ids.length > 1 && ids.at(-1) === end) ids.pop(); // the text is not to end here
  return Int32Array.from(ids.length === 0 && begin !== undefined ? [begin] : ids);
}

/** A conversation up to where the assistant's turn begins; its template writes the special tokens too. */
function conversationIds({ tokenizer, name }: OpenModel["base"], { messages }: Conversation): Int32Array {
  if (!tokenizer) throw new InputError(`${name} has no tokenizer; give the prompt's tokens`);
  return Int32Array.from(tokenizer.idsOf(templateOf(tokenizer)(messages, { reply: true })));
}

import { readGenerationConfig } from "../checkpoints/generation-config.ts";
import { chatTemplateOf } from "../data/rows/message-rows.ts";
import type { Conversation } from "../data/rows/prompts.ts";
import type { Tokenizer } from "../data/tokenizer/tokenizer.ts";
import { turnEnd } from "../data/tokenizer/turn-end.ts";
import { InputError } from "../errors.ts";
import { compileDecoder } from "../generation/decoder.ts";
import { generateBatch as continued } from "../generation/generate.ts";
import { type GenerationSettings, parseGenerationSettings } from "../generation/settings.ts";
import { begunTexts, type GeneratedToken } from "../generation/texts.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { shapeOf } from "../peft/shape-of.ts";
import { count } from "../settings/setting.ts";
import { pickSettings } from "../settings/settings.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";
import { isObject } from "../values.ts";
import { arrivals } from "./arrivals.ts";
import { requireModel, requireOptions, what } from "./check.ts";
import type { OpenModel } from "./model.ts";
import { textLanes } from "./text-lanes.ts";

/** A text to go on with, its tokens, or a conversation (or its messages) whose next turn is the assistant's. */
export type PromptInput = string | Iterable<number> | Conversation | Conversation["messages"];

/** How a model goes on; everything that is left out has a default, and then the likeliest tokens are taken. */
export interface GenerateOptions extends Partial<GenerationSettings> {
  /** once aborted, the work ends between two tokens */
  readonly signal?: StopSignal | undefined;
}

/**
 * Goes on with a prompt and gives each token as soon as it is there: its id and the text that it makes sure.
 *
 * @throws InputError for a model that is no causal language model, and for prompts that don't fit; the signal's reason
 */
export async function* generate(
  model: OpenModel,
  prompt: PromptInput,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, void> {
  requireDecoder(model);
  const asked = promptOf(model, prompt, 0);
  const { signal, ...given } = options;
  const parsed = parseGenerationSettings(given);
  if (parsed.beams > 1) yield* withDecoder(model, options, [asked], 0);
  else yield* inLanes(model, parsed, asked, signal);
}

/** A text that goes on beside whichever others are asked of the base. */
async function* inLanes(
  { base, adapted, phi }: OpenModel,
  settings: GenerationSettings,
  { ids, ends }: Prompt,
  signal: StopSignal | undefined,
): AsyncGenerator<GeneratedToken, void, void> {
  throwIfStopped(signal);
  const { endIds, ...suppressed } = await generationOf(base, settings.eosToken);
  const how = { settings, ...suppressed };
  const begun = { adapted, settings, endIds, turnEnds: [ends], decode: base.tokenizer?.decode };
  const [text] = begunTexts([ids], begun);
  if (!text) return;
  const come = arrivals<GeneratedToken>();
  const gone = () => come.closed() || signal?.aborted === true;
  const { told, failed } = { told: come.put, failed: come.fail };
  textLanes(base).ask({ adapter: { adapted, phi }, text, how, told, failed, gone });
  try {
    for (;;) {
      const token = await come.next(signal);
      yield token;
      if (token.end) return;
    }
  } finally {
    come.close();
  }
}

/** What a model made of a prompt: the new tokens only. */
export interface Completion {
  /** undefined without a tokenizer */
  readonly text: string | undefined;
  readonly ids: readonly number[];
  /** whether the text came to its end, or was cut */
  readonly finishReason: "stop" | "length";
}

export interface CompletionOptions extends GenerateOptions {
  /** prompts that are computed together; 16 where left out */
  readonly batch?: number;
}

const batchSetting = { batch: count(16, "prompts that are computed together") };

/** Goes on with many prompts, in their order. What becomes of one doesn't depend on those beside it. */
export async function* complete(
  model: OpenModel,
  prompts: readonly PromptInput[],
  options: CompletionOptions = {},
): AsyncGenerator<Completion, void, void> {
  const { base } = requireDecoder(model);
  const { batch: asked, ...how } = requireOptions(options);
  const { batch } = pickSettings(batchSetting, { batch: asked });
  if (!Array.isArray(prompts)) throw new InputError(`prompts are ${what(prompts)}; they must be a list`);
  const all = prompts.map((prompt, row) => promptOf(model, prompt, row));
  for (let start = 0; start < all.length; start += batch) {
    const some = all.slice(start, start + batch);
    const rows = some.map(() => ({ text: "", ids: [] as number[], end: undefined as GeneratedToken["end"] }));
    for await (const { row, id, text, end } of withDecoder(model, how, some, start)) {
      const into = rows[row];
      if (!into) continue;
      into.ids.push(id);
      into.text += text;
      into.end = end;
    }
    for (const { text, ids, end } of rows)
      yield { text: base.tokenizer && text, ids, finishReason: end === "length" ? "length" : "stop" };
  }
}

function requireDecoder(given: OpenModel): OpenModel {
  const model = requireModel(given);
  const { task } = model.adapted.goal;
  if (heads[objectiveOf(task).head].goesOn) return model;
  throw new InputError(`only causal language models go on with texts; this model is for ${task}`);
}

/** Goes on with prompts by the model's compiled decoder, made once for its base. */
async function* withDecoder(
  model: OpenModel,
  { signal, ...given }: GenerateOptions,
  prompts: readonly Prompt[],
  first: number,
): AsyncGenerator<GeneratedToken, void, void> {
  const { base, adapted, phi } = model;
  throwIfStopped(signal);
  const parsed = parseGenerationSettings(given);
  const { endIds, ...suppressed } = await generationOf(base, parsed.eosToken);
  const lent = await base.programs.decoders.borrow(shapeOf(adapted), () => compileDecoder(base.engine, adapted));
  try {
    const turnEnds = prompts.map(({ ends }) => ends);
    const how = { decoder: lent.compiled, adapted, phi, signal, settings: parsed, ...suppressed };
    yield* continued(
      prompts.map(({ ids }) => ids),
      { ...how, endIds, turnEnds, decode: base.tokenizer?.decode },
      first,
    );
  } finally {
    await lent.giveBack();
  }
}

/** What a base says of how its texts go on, with the tokens that end them: those of its folder, else the tokenizer's. */
async function generationOf({ folder, tokenizer }: OpenModel["base"], eosTokens: readonly string[]) {
  const { endIds: own, ...suppressed } = await readGenerationConfig(folder);
  const end = tokenizer?.specialIds.eos_token;
  const asked = eosTokens.map((token) => askedId(tokenizer, token));
  return { ...suppressed, endIds: [...(own.length === 0 && end !== undefined ? [end] : own), ...asked] };
}

function askedId(tokenizer: Tokenizer | undefined, token: string): number {
  if (!tokenizer) throw new InputError("tokens that end a text need a tokenizer, which the base has not");
  const id = tokenizer.idOf(token);
  if (id === undefined)
    throw new InputError(`the tokenizer has no token ${JSON.stringify(token)} that could end a text`);
  return id;
}

/** A prompt's tokens, and what ends it beside the model's own ends. */
interface Prompt {
  readonly ids: Int32Array;
  readonly ends: readonly number[];
}

function promptOf(model: OpenModel, prompt: PromptInput, row: number): Prompt {
  return { ids: idsOf(model, prompt, row), ends: turnEndsOf(model, prompt) };
}

/** What ends the assistant's turn in a conversation; nothing more ends other prompts. */
function turnEndsOf({ base }: OpenModel, prompt: PromptInput): readonly number[] {
  const id = conversationOf(prompt) && base.tokenizer ? turnEnd(base.tokenizer) : undefined;
  return id === undefined ? [] : [id];
}

/** A prompt's tokens; the tokenizer may know more of them than the model has a row for. */
export function idsOf({ base }: OpenModel, prompt: PromptInput, row: number): Int32Array {
  const turns = conversationOf(prompt);
  const ids = turns
    ? conversationIds(base, turns)
    : typeof prompt === "string"
      ? textIds(base, prompt)
      : Int32Array.from(numbersOf(prompt, row));
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

function conversationOf(prompt: PromptInput): Conversation | undefined {
  if (isConversation(prompt)) return prompt;
  return areTurns(prompt) ? { messages: prompt } : undefined;
}

const isConversation = (value: unknown): value is Conversation => isObject(value) && areTurns(value.messages);

const areTurns = (value: unknown): value is Conversation["messages"] =>
  Array.isArray(value) && value.length > 0 && value.every((turn: unknown) => isObject(turn) && "role" in turn);

function numbersOf(prompt: unknown, row: number): readonly number[] {
  const ids = isIterable(prompt) ? Array.from(prompt, Number) : [];
  if (ids.length > 0 && ids.every(Number.isInteger)) return ids;
  if (isIterable(prompt) && ids.length === 0) throw new InputError(`prompt ${row + 1} is empty`);
  throw new InputError(`prompt ${row + 1} is ${what(prompt)}; it must be a text, token ids or messages`);
}

const isIterable = (value: unknown): value is Iterable<unknown> => isObject(value) && Symbol.iterator in value;

/** A conversation up to where the assistant's turn begins; its template writes the special tokens too. */
function conversationIds({ tokenizer, name }: OpenModel["base"], { messages, tools }: Conversation): Int32Array {
  if (!tokenizer) throw new InputError(`${name} has no tokenizer; give the prompt's tokens`);
  return Int32Array.from(tokenizer.idsOf(chatTemplateOf(tokenizer)(messages, { tools, reply: true })));
}

import { Tokenizer as Engine } from "@huggingface/tokenizers";
import { InputError } from "../../errors.ts";
import { byteLevelWords, isByteLevel } from "./byte-level-words.ts";
import { checkTokenizer } from "./check-tokenizer.ts";
import { boundStep, innerSteps, isPatternStep } from "./pattern-steps.ts";
import { passPlainTexts, passWithoutTokens } from "./plain-texts.ts";
import { type Normalizer, normalizerSteps, type TokenizerDescription, type TokenizerJson } from "./tokenizer-files.ts";
import { unigramPieces } from "./unigram-pieces.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { remembering } from "./word-cache.ts";
import { type WordModel, wordPieces } from "./word-pieces.ts";
import { longestWord } from "./wordpiece-tokenizer.ts";

/** The part of the tokenizer library that petl uses. */
export interface TextEngine {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  tokenize(text: string, options: { add_special_tokens: boolean }): string[];
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  readonly model: TextModel;
  /** added tokens as they stand in a text, before and behind its normalizer */
  readonly added_tokens_map: ReadonlyMap<string, { readonly id: number }>;
}

/** The library's part that cuts words into tokens. */
interface TextModel {
  encode: (words: string[]) => string[];
  /** whether neighbouring unknown tokens become one, also those of several words */
  readonly fuse_unk?: boolean;
  readonly unk_token_id?: number | undefined;
}

/** Ids of a text without special tokens. */
type ToIds = (text: string) => readonly number[];

/**
 * The library's tokenizer without its template (ours cuts inside it), with the Rust library's idea of white space, and with
 * patterns, words and pieces that take no longer than they are long.
 * @throws InputError naming the field of what the library can't compute
 */
export function buildEngine({ tokenizer, config }: TokenizerDescription): TextEngine {
  checkTokenizer(tokenizer);
  const engine = builtEngine(tokenizer, config);
  for (const part of [engine.normalizer, engine.pre_tokenizer, engine.decoder]) {
    for (const step of innerSteps(part)) {
      if (isByteLevel(step)) step.pre_tokenize_text = byteLevelWords(step);
      else if (isPatternStep(step)) boundStep(step);
      else passPlainTexts(step);
    }
  }
  const added = (tokenizer.added_tokens ?? []).map(({ content }) => content);
  passWithoutTokens(Reflect.get(engine, "splitter_unnormalized"), added);
  const encode = encoderOf(tokenizer.model);
  if (encode) engine.model.encode = encode;
  return engine;
}

function builtEngine(tokenizer: TokenizerJson, config: TokenizerDescription["config"]): Engine {
  const { vocab } = tokenizer.model;
  const model = {
    ...tokenizer.model,
    vocab: Array.isArray(vocab) ? vocab : unknownAlone(vocab, tokenizer.model.unk_token),
  };
  const complete = { decoder: null, normalizer: null, pre_tokenizer: null, ...tokenizer, model };
  const added = (tokenizer.added_tokens ?? []).map((token) => ({ ...token }));
  try {
    const engine = new Engine({ ...complete, added_tokens: added, post_processor: null }, config);
    if (!Array.isArray(vocab)) Object.assign(engine.model, tablesOf(vocab, added));
    return engine;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`tokenizer.json: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As much of a vocabulary as the library's models look up while they are made; its tables are given to them behind that. */
const unknownAlone = ({ ids }: Vocabulary, unknown: unknown): Record<string, number> =>
  Object.fromEntries(typeof unknown === "string" && ids.has(unknown) ? [[unknown, ids.get(unknown) ?? 0]] : []);

/** The library's own tables of a vocabulary and the tokens that were added to it. */
function tablesOf({ ids, tokens }: Vocabulary, added: readonly { readonly id: number; readonly content: string }[]) {
  const strange = added.filter(({ id, content }) => ids.get(content) !== id || tokens[id] !== content);
  if (strange.length === 0) return { tokens_to_ids: ids, vocab: tokens };
  const [all, byId] = [new Map(ids), [...tokens]];
  for (const { id, content } of strange) {
    all.set(content, id);
    byId[id] = content;
  }
  return { tokens_to_ids: all, vocab: byId };
}

/** How words are cut, where it is not left to the library. */
function encoderOf({ type, vocab, ...model }: TokenizerJson["model"]): WordModel["encode"] | undefined {
  if (Array.isArray(vocab)) return unigramPieces(vocab.filter(isPiece));
  if (type !== "WordPiece" || typeof model.unk_token !== "string") return undefined;
  const { max_input_chars_per_word: longest, continuing_subword_prefix: continuation } = model;
  return wordPieces({
    known: vocab.ids,
    unknown: model.unk_token,
    continuation: continuation ?? "##",
    longestWord: typeof longest === "number" ? longest : longestWord,
  });
}

const isPiece = (piece: unknown): piece is readonly [string, number] =>
  Array.isArray(piece) && typeof piece[0] === "string" && typeof piece[1] === "number";

/** Ids of a bare text. Words that come often are cut into tokens once, where no word's tokens depend on its neighbours. */
export function textToIds(engine: TextEngine, json: TokenizerJson): ToIds {
  const prepare = likeRust(normalizerSteps(json.normalizer));
  const { model } = engine;
  if (model.fuse_unk) return (text) => known(text, engine.encode(prepare(text), { add_special_tokens: false }).ids);
  const { added_tokens_map: added } = engine;
  const cut = model.encode.bind(model);
  const idOf = (token: string) => added.get(token)?.id ?? engine.token_to_id(token) ?? model.unk_token_id;
  const idsOf = remembering((word) => cut([word]).map(idOf));
  model.encode = (words) => words; // from here on the engine gives words, and those who ask for tokens ask for them here
  return (text) => {
    const ids: (number | undefined)[] = [];
    for (const word of engine.tokenize(prepare(text), { add_special_tokens: false })) {
      const own = added.get(word)?.id;
      if (own === undefined) for (const id of idsOf(word)) ids.push(id);
      else ids.push(own);
    }
    return known(text, ids);
  };
}

/** @throws InputError where some part of a text has no id */
function known(text: string, ids: readonly (number | undefined)[]): readonly number[] {
  if (ids.every((id) => id !== undefined)) return ids;
  throw new InputError(
    `the tokenizer has neither a token nor an unknown token for ${JSON.stringify(text.slice(0, 100))}`,
  );
}

/** The words of a text as its tokenizer's model meets them: normalized and split, special tokens left out. */
export type ToWords = (text: string) => readonly string[];

/** The words that `textToIds` cuts into tokens: the same path, with the model taken out. */
export function textToWords(description: TokenizerDescription): ToWords {
  const { normalizer, added_tokens } = description.tokenizer;
  const engine = Object.assign(buildEngine(description), { model: (words: readonly string[]) => words });
  const prepare = likeRust(normalizerSteps(normalizer));
  const added = new Set(added_tokens?.map(({ content }) => content));
  return (text) => engine.tokenize(prepare(text), { add_special_tokens: false }).filter((word) => !added.has(word));
}

/**
 * What a text needs before the library's normalizer, so that it ends as the Rust library's does:
 * Rust lowercases letter by letter, so a final capital sigma becomes σ, where JavaScript says ς;
 * and it sets ideographs beyond U+FFFF apart too, which the library looks for by their first half.
 */
function likeRust(steps: readonly Normalizer[]): (text: string) => string {
  const lowers = steps.some(({ type, lowercase }) => type === "Lowercase" || (type === "BertNormalizer" && lowercase));
  const apart = steps.some((step) => step.type === "BertNormalizer" && step.handle_chinese_chars);
  return (text) => {
    const lowered = lowers ? text.replaceAll("Σ", "σ") : text;
    return apart ? lowered.replace(farIdeograph, " $& ") : lowered;
  };
}

/** The ranges of BERT's ideographs beyond U+FFFF, with the gap that the Rust library has from U+2B820 to U+2B91F. */
const farIdeograph =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Ids of a word inside a row: byte-level tokenizers see it behind a space, also the first. */
export function wordToIds(toIds: ToIds, json: TokenizerJson): ToIds {
  const byteLevel = JSON.stringify(json.pre_tokenizer ?? null).includes('"ByteLevel"');
  const added = new Set(json.added_tokens?.map(({ content }) => content));
  return (word) => toIds(byteLevel && word !== "" && !word.startsWith(" ") && !added.has(word) ? ` ${word}` : word);
}

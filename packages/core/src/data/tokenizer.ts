import { Tokenizer as Engine } from "@huggingface/tokenizers";
import { InputError, InternalError } from "../errors.ts";
import {
  type Normalizer,
  normalizerSteps,
  readTokenizerFiles,
  type SpecialName,
  specialTokenNames,
  type TokenizerDescription,
  type TokenizerFiles,
} from "./tokenizer-files.ts";
import { addedCount, fill, hasTypes, type Template, templateOf } from "./tokenizer-template.ts";
import { longestFirst } from "./truncation.ts";

/** One row as a model reads it: everything of shape [tokens], unpadded. */
export interface Encoding {
  readonly inputIds: Int32Array;
  /** 1 for every token: padding comes with the batch. */
  readonly attentionMask: Int32Array;
  /** 0 for the first text, 1 for the second; absent where the tokenizer doesn't tell them apart. */
  readonly tokenTypeIds?: Int32Array;
}

/** The words of one row as tokens, for labels that belong to words. */
export interface WordEncoding extends Encoding {
  /** Per word the position of its first token, or -1 where it has none (an empty word, or one behind the cut). */
  readonly firstTokens: Int32Array;
}

/** Text to ids and back, as the model's own tokenizer does it. Without `maxLength` nothing is cut. */
export interface Tokenizer {
  /**
   * Ids of a text or of a pair, with the model's special tokens. Longer rows are cut as `truncation=True` cuts them:
   * special tokens stay, of a pair the longer text gives way first.
   * @throws InputError when `maxLength` leaves no room beside the special tokens.
   */
  encode(text: string, pair?: string, maxLength?: number): Encoding;
  /** Ids of a row that comes in words, each word tokenised on its own (`is_split_into_words=True`). */
  encodeWords(words: readonly string[], maxLength?: number): WordEncoding;
  /** The text of ids; special tokens are left out unless asked for. Ids beyond the vocabulary are an InputError. */
  decode(ids: Iterable<number>, options?: { readonly specialTokens?: boolean }): string;
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  /** The model's special tokens that the vocabulary knows. */
  readonly specialIds: Readonly<Partial<Record<SpecialName, number>>>;
  /** What a batch is padded with; the mask hides it, so any id is right where the model has no padding token. */
  readonly padId: number;
  /** Number of ids: the largest known one plus one. */
  readonly vocabularySize: number;
  /** The longest row that the tokenizer was made for, where its configuration says it. */
  readonly modelMaxLength?: number;
}

/** The part of the tokenizer library that petl uses. */
interface TextEngine {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_vocab(): Map<string, number>;
}

/**
 * The tokenizer of a checkpoint folder, from the texts of its files: `tokenizer.json`, or `vocab.txt` for BERT.
 * Truncation and padding that the file carries are ignored.
 * @throws InputError naming the file that is missing or wrong.
 */
export function loadTokenizer(files: TokenizerFiles): Tokenizer {
  const description = readTokenizerFiles(files);
  const { tokenizer: json, config } = description;
  const engine = buildEngine(description);
  const toIds = textToIds(engine, likeRust(normalizerSteps(json.normalizer)));
  const template = templateOf(json.post_processor);
  const types = hasTypes(template) && (config.model_input_names?.includes("token_type_ids") ?? true);
  const keep = config.truncation_side === "left" ? keepLast : keepFirst;
  const specialIds = findSpecialIds(engine, description);
  const vocabularySize = Math.max(...largestIds(engine, json.added_tokens ?? [])) + 1;
  const toWordIds = wordToIds(
    toIds,
    hasByteLevel(json.pre_tokenizer),
    new Set(json.added_tokens?.map((t) => t.content)),
  );
  const modelMaxLength = config.model_max_length;
  return {
    encode: (text, pair, maxLength) =>
      pair === undefined
        ? encodeOne(template, types, keep, toIds(text), maxLength)
        : encodePair(template, types, keep, [toIds(text), toIds(pair)], maxLength),
    encodeWords: (words, maxLength) => encodeWords(template, types, keep, words.map(toWordIds), maxLength),
    decode: (ids, options) => decode(engine, vocabularySize, [...ids], options?.specialTokens ?? false),
    idOf: (token) => engine.token_to_id(token),
    tokenOf: (id) => engine.id_to_token(id),
    specialIds,
    padId: specialIds.pad_token ?? description.padTokenId ?? specialIds.eos_token ?? 0,
    vocabularySize,
    ...(modelMaxLength && modelMaxLength < 1e9 ? { modelMaxLength } : {}),
  };
}

/** The library's tokenizer without its template (ours cuts inside it) and with the Rust library's idea of white space. */
function buildEngine({ tokenizer, config }: TokenizerDescription): TextEngine {
  const complete = { decoder: null, normalizer: null, pre_tokenizer: null, ...tokenizer };
  const added = (tokenizer.added_tokens ?? []).map((token) => ({ ...token }));
  const engine = new Engine({ ...complete, added_tokens: added, post_processor: null }, config);
  const steps: unknown[] = engine.pre_tokenizer?.tokenizers ?? [engine.pre_tokenizer];
  for (const step of steps) if (isByteLevel(step)) step.pattern = byteLevelPattern;
  return engine;
}

function isByteLevel(step: unknown): step is { pattern: RegExp } {
  return step instanceof Object && "byte_encoder" in step && "pattern" in step; // the library's steps are functions
}

/** GPT-2's pattern, with White_Space as the Rust library has it: U+0085 belongs to it, U+FEFF doesn't. */
const byteLevelPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

type ToIds = (text: string) => readonly number[];
type Keep = (ids: readonly number[], count: number) => readonly number[];

const keepFirst: Keep = (ids, count) => ids.slice(0, count);
const keepLast: Keep = (ids, count) => ids.slice(ids.length - Math.min(count, ids.length));

/** Ids of a bare text. */
function textToIds(engine: TextEngine, prepare: (text: string) => string): ToIds {
  return (text) => {
    const { ids } = engine.encode(prepare(text), { add_special_tokens: false });
    return ids.map((id) => {
      if (id === undefined)
        throw new InternalError(`the tokenizer has neither a token nor an unknown token in "${text}"`);
      return id;
    });
  };
}

/**
 * What a text needs before the library's normalizer, so that it ends as the Rust library's does:
 * Rust lowercases letter by letter, so a final capital sigma becomes σ, where JavaScript says ς;
 * and it sets ideographs beyond U+FFFF apart too, which the library looks for by their first half.
 */
function likeRust(steps: readonly Normalizer[]): (text: string) => string {
  const lowercase = steps.some(
    ({ type, lowercase }) => type === "Lowercase" || (type === "BertNormalizer" && lowercase),
  );
  const apart = steps.some((step) => step.type === "BertNormalizer" && step.handle_chinese_chars);
  return (text) => {
    const lowered = lowercase ? text.replaceAll("Σ", "σ") : text;
    return apart ? lowered.replace(farIdeograph, " $& ") : lowered;
  };
}

/** The ranges of BERT's ideographs beyond U+FFFF, with the gap that the Rust library has from U+2B820 to U+2B91F. */
const farIdeograph =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Ids of a word inside a row: byte-level tokenizers see it behind a space, also the first. */
function wordToIds(toIds: ToIds, byteLevel: boolean, addedTokens: ReadonlySet<string>): ToIds {
  return (word) =>
    toIds(byteLevel && word !== "" && !word.startsWith(" ") && !addedTokens.has(word) ? ` ${word}` : word);
}

function hasByteLevel(preTokenizer: unknown): boolean {
  return JSON.stringify(preTokenizer ?? null).includes('"ByteLevel"');
}

function room(added: number, maxLength: number | undefined): number {
  if (maxLength === undefined) return Number.POSITIVE_INFINITY;
  if (maxLength > added) return maxLength - added;
  throw new InputError(`a length of ${maxLength} leaves no room for text beside ${added} special tokens`);
}

function encoding(types: boolean, filled: { ids: Int32Array; types: Int32Array }): Encoding {
  const base = { inputIds: filled.ids, attentionMask: new Int32Array(filled.ids.length).fill(1) };
  return types ? { ...base, tokenTypeIds: filled.types } : base;
}

function encodeOne(
  template: Template,
  types: boolean,
  keep: Keep,
  ids: readonly number[],
  maxLength: number | undefined,
): Encoding {
  const kept = keep(ids, room(addedCount(template.single), maxLength));
  return encoding(types, fill(template.single, { A: kept, B: [] }));
}

function encodePair(
  template: Template,
  types: boolean,
  keep: Keep,
  [a, b]: readonly [readonly number[], readonly number[]],
  maxLength: number | undefined,
): Encoding {
  const [first, second] = longestFirst(a.length, b.length, room(addedCount(template.pair), maxLength));
  return encoding(types, fill(template.pair, { A: keep(a, first), B: keep(b, second) }));
}

function encodeWords(
  template: Template,
  types: boolean,
  keep: Keep,
  words: readonly (readonly number[])[],
  maxLength: number | undefined,
): WordEncoding {
  const all = words.flat();
  const encoded = encodeOne(template, types, keep, all, maxLength);
  const count = encoded.inputIds.length - addedCount(template.single);
  const cutInFront = keep === keepLast ? all.length - count : 0;
  const pieces = template.single;
  const before = addedCount(
    pieces.slice(
      0,
      pieces.findIndex((piece) => piece.kind === "text"),
    ),
  );
  let position = 0;
  const firstTokens = Int32Array.from(words, (ids) => {
    const start = position - cutInFront;
    position += ids.length;
    return ids.length > 0 && start >= 0 && start < count ? before + start : -1;
  });
  return { ...encoded, firstTokens };
}

function decode(engine: TextEngine, vocabularySize: number, ids: number[], specialTokens: boolean): string {
  const strange = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (strange !== undefined) throw new InputError(`no token has the id ${strange}; ids are 0 to ${vocabularySize - 1}`);
  if (ids.length === 0) return "";
  return engine.decode(ids, { skip_special_tokens: !specialTokens, clean_up_tokenization_spaces: false });
}

/** Names that models give these tokens, for folders that don't say. */
const usualNames: Readonly<Record<SpecialName, readonly string[]>> = {
  pad_token: ["[PAD]", "<pad>"],
  unk_token: ["[UNK]", "<unk>"],
  cls_token: ["[CLS]"],
  sep_token: ["[SEP]"],
  mask_token: ["[MASK]", "<mask>"],
  bos_token: ["<s>", "<|begin_of_text|>", "<|endoftext|>"],
  eos_token: ["</s>", "<|end_of_text|>", "<|endoftext|>"],
};

function findSpecialIds(engine: TextEngine, { config }: TokenizerDescription): Tokenizer["specialIds"] {
  const found = specialTokenNames.flatMap((name) => {
    const given = config[name];
    const ids = (given ? [given] : usualNames[name]).map((token) => engine.token_to_id(token));
    const id = ids.find((known) => known !== undefined);
    return id === undefined ? [] : [[name, id] as const];
  });
  return Object.fromEntries(found);
}

function* largestIds(engine: TextEngine, added: readonly { readonly id: number }[]): Iterable<number> {
  yield -1;
  let largest = -1;
  for (const id of engine.get_vocab().values()) largest = Math.max(largest, id);
  yield largest;
  for (const { id } of added) yield id;
}

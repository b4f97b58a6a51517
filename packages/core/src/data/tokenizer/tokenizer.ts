import { InputError } from "../../errors.ts";
import { type ChatTemplate, chatTemplate } from "./chat-template.ts";
import { readingContents } from "./message-contents.ts";
import { type SpecialName, specialTokenNames } from "./special-token.ts";
import { buildEngine, type TextEngine, textToIds, wordToIds } from "./tokenizer-engine.ts";
import type { TokenizerFiles } from "./tokenizer-file-names.ts";
import { readTokenizerFiles, type TokenizerDescription, type TokenizerJson } from "./tokenizer-files.ts";
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
interface WordEncoding extends Encoding {
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
  /**
   * The text of ids; special tokens are left out unless asked for. Ids that no token has, such as those between the
   * tokenizer's size and that of a padded table, are nothing.
   */
  decode(ids: Iterable<number>, options?: { readonly specialTokens?: boolean }): string;
  /** Ids of a bare text, without special tokens. */
  idsOf(text: string): readonly number[];
  /** Bare ids with the special tokens around them that one text has. */
  frame(ids: readonly number[]): Encoding;
  /** How many ids {@link frame} adds. */
  readonly framing: number;
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  /** The model's special tokens that the vocabulary knows. */
  readonly specialIds: Readonly<Partial<Record<SpecialName, number>>>;
  /** Tokens that are found in a text before it is cut into words: special ones, and such as were added. */
  readonly addedIds: ReadonlySet<number>;
  /** The tokens that continue a word, "##ing", where the vocabulary is one of word pieces. */
  readonly continuationIds: ReadonlySet<number>;
  /** What a batch is padded with; the mask hides it, so any id is right where the model has no padding token. */
  readonly padId: number;
  /** Number of ids: the largest known one plus one. */
  readonly vocabularySize: number;
  /** Writes conversations as texts; absent where the folder has no chat template. */
  readonly chatTemplate?: ChatTemplate;
  /** The longest row that the tokenizer was made for, where its configuration says it. */
  readonly modelMaxLength?: number;
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
  const toIds = textToIds(engine, json);
  const template = templateOf(json.post_processor);
  const types = hasTypes(template) && (config.model_input_names?.includes("token_type_ids") ?? true);
  const keep = config.truncation_side === "left" ? keepLast : keepFirst;
  const specialIds = findSpecialIds(engine, description);
  const vocabularySize = sizeOf(json);
  const toWordIds = wordToIds(toIds, json);
  const modelMaxLength = config.model_max_length;
  let continuationIds: ReadonlySet<number> | undefined;
  return {
    encode: (text, pair, maxLength) =>
      pair === undefined
        ? encodeOne(template, types, keep, toIds(text), maxLength)
        : encodePair(template, types, keep, [toIds(text), toIds(pair)], maxLength),
    encodeWords: (words, maxLength) => encodeWords(template, types, keep, words.map(toWordIds), maxLength),
    decode: (ids, options) => decode(engine, [...ids], options?.specialTokens ?? false),
    idsOf: toIds,
    frame: (ids) => encodeOne(template, types, keep, ids, undefined),
    framing: addedCount(template.single),
    idOf: (token) => engine.token_to_id(token),
    tokenOf: (id) => engine.id_to_token(id),
    specialIds,
    addedIds: new Set((json.added_tokens ?? []).map(({ id }) => id)),
    get continuationIds() {
      continuationIds ??= findContinuations(json); // of use to masked models alone
      return continuationIds;
    },
    padId: specialIds.pad_token ?? description.padTokenId ?? specialIds.eos_token ?? 0,
    vocabularySize,
    ...(description.chatTemplate !== undefined && { chatTemplate: lazyTemplate(description.chatTemplate, config) }),
    ...(modelMaxLength && modelMaxLength < 1e9 ? { modelMaxLength } : {}),
  };
}

/** A template that is read when the first conversation comes: a tokenizer is of use without it. */
function lazyTemplate(source: string, config: TokenizerDescription["config"]): ChatTemplate {
  const tokens = Object.fromEntries(specialTokenNames.flatMap((name) => (config[name] ? [[name, config[name]]] : [])));
  let template: ChatTemplate | undefined;
  return (messages, options) => {
    template ??= readingContents(chatTemplate(source, tokens));
    return template(messages, options);
  };
}

type Keep = (ids: readonly number[], count: number) => readonly number[];

const keepFirst: Keep = (ids, count) => ids.slice(0, count);
const keepLast: Keep = (ids, count) => ids.slice(ids.length - Math.min(count, ids.length));

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

function decode(engine: TextEngine, ids: readonly number[], specialTokens: boolean): string {
  const strange = ids.find((id) => !Number.isInteger(id) || id < 0);
  if (strange !== undefined) throw new InputError(`${strange} is no token's id`);
  const known = ids.filter((id) => engine.id_to_token(id) !== undefined);
  if (known.length === 0) return "";
  return engine.decode(known, { skip_special_tokens: !specialTokens, clean_up_tokenization_spaces: false });
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

function findContinuations({ model: { type, vocab, ...model } }: TokenizerJson): ReadonlySet<number> {
  if (type !== "WordPiece" || Array.isArray(vocab)) return new Set();
  const prefix = model.continuing_subword_prefix ?? "##";
  return new Set(vocab.tokens.flatMap((token, id) => (token?.startsWith(prefix) ? [id] : [])));
}

function sizeOf({ model: { vocab }, added_tokens: added }: TokenizerJson): number {
  const { length } = Array.isArray(vocab) ? vocab : vocab.tokens;
  return Math.max(length, ...(added ?? []).map(({ id }) => id + 1));
}

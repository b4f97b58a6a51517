import { z } from "zod";
import { InputError, schemaProblems } from "../../errors.ts";
import { isRecord } from "../../values.ts";
import { byteLevelTokenizer } from "./byte-level-tokenizer.ts";
import { specialNames } from "./special-names.ts";
import { largestId } from "./special-token.ts";
import type { TokenizerFiles } from "./tokenizer-file-names.ts";
import { vocabularyOf } from "./vocabulary.ts";
import { parsedTokenizer } from "./vocabulary-json.ts";
import { wordPieceTokenizer } from "./wordpiece-tokenizer.ts";

const tokenId = z.int().nonnegative().max(largestId);

/** One template, or several by name, of which one is the default. */
const chatTemplates = z.union([
  z.string(),
  z
    .array(z.object({ name: z.string(), template: z.string() }))
    .transform((all) => all.find(({ name }) => name === "default")?.template),
]);

const configSchema = specialNames.extend({
  chat_template: chatTemplates.nullish(),
  tokenizer_class: z.string().nullish(),
  add_prefix_space: z.boolean().nullish(),
  do_lower_case: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  truncation_side: z.enum(["left", "right"]).nullish(),
  model_max_length: z.number().nullish(),
  model_input_names: z.array(z.string()).nullish(),
});

/** What tokenizer_config.json and special_tokens_map.json say. */
export type TokenizerConfig = z.infer<typeof configSchema>;

const modelConfigSchema = z.object({
  pad_token_id: z.number().int().nonnegative().nullish().catch(undefined),
  model_type: z.string().nullish().catch(undefined),
});

const normalizerSchema = z.looseObject({
  type: z.string(),
  get normalizers() {
    return z.array(normalizerSchema).optional();
  },
});
export type Normalizer = z.infer<typeof normalizerSchema>;

const templateItem = z.union([
  z.object({ SpecialToken: z.object({ id: z.string(), type_id: z.number().int().default(0) }) }),
  z.object({ Sequence: z.object({ id: z.enum(["A", "B"]), type_id: z.number().int().default(0) }) }),
]);
const markerPair = z.tuple([z.string(), z.number().int()]);
const processorSchema = z.union([
  z.object({
    type: z.literal("TemplateProcessing"),
    single: z.array(templateItem),
    pair: z.array(templateItem),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.number().int()) })),
  }),
  z.object({ type: z.literal("BertProcessing"), cls: markerPair, sep: markerPair }),
  z.object({ type: z.literal("RobertaProcessing"), cls: markerPair, sep: markerPair }),
  z.object({ type: z.literal("ByteLevel") }),
  z.object({
    type: z.literal("Sequence"),
    get processors() {
      return z.array(processorSchema);
    },
  }),
]);
/** What a tokenizer file puts around one text and around two. */
export type PostProcessor = z.infer<typeof processorSchema>;

/** Ids by token. A schema of records would check and copy hundreds of thousands of tokens one by one. */
const idsByToken = z
  .custom<ReadonlyMap<string, number> | Readonly<Record<string, number>>>(isIds, "not ids by token")
  .transform((ids) => vocabularyOf(ids instanceof Map ? ids : new Map(Object.entries(ids))));

function isIds(value: unknown): boolean {
  return value instanceof Map || (isRecord(value) && Object.values(value).every((id) => typeof id === "number"));
}

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.number().int(), content: z.string() })).nullish(),
  normalizer: normalizerSchema.nullish(),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
  post_processor: processorSchema.nullish(),
  model: z.looseObject({
    type: z.string().nullish(),
    continuing_subword_prefix: z.string().nullish(),
    vocab: z.union([z.custom<unknown[]>(Array.isArray), idsByToken], "neither ids by token nor a list"),
  }),
});
export type TokenizerJson = z.infer<typeof tokenizerSchema>;

/** What the files say, checked, with the settings that stand in several of them brought together. */
export interface TokenizerDescription {
  readonly tokenizer: TokenizerJson;
  readonly config: TokenizerConfig;
  readonly padTokenId: number | undefined;
  /** the Jinja text that conversations are written by */
  readonly chatTemplate?: string | undefined;
}

/**
 * Reads and checks a folder's tokenizer files. Without `tokenizer.json`, `vocab.json` and `merges.txt` make a
 * byte-level tokenizer as GPT-2's, `vocab.txt` makes BERT's WordPiece tokenizer.
 * @throws InputError naming the file: none of them, not JSON, or of another form.
 */
export function readTokenizerFiles(files: TokenizerFiles): TokenizerDescription {
  const map = parse(files, "special_tokens_map.json", specialNames) ?? {};
  const config = { ...map, ...withoutEmpty(parse(files, "tokenizer_config.json", configSchema) ?? {}) };
  const model = parse(files, "config.json", modelConfigSchema);
  const [padTokenId, modelType] = [model?.pad_token_id ?? undefined, model?.model_type ?? undefined];
  const settings = configSchema.parse(config);
  const found = {
    config: settings,
    padTokenId,
    chatTemplate: files["chat_template.jinja"] ?? settings.chat_template ?? undefined,
  };
  const given = parse(files, "tokenizer.json", tokenizerSchema);
  if (given) return { ...found, tokenizer: withSettings(given, settings) };
  const pieces = parse(files, "vocab.json", idsByToken);
  if (pieces && files["merges.txt"] !== undefined) {
    const added = parse(files, "added_tokens.json", z.record(z.string(), tokenId)) ?? {};
    return {
      ...found,
      tokenizer: byteLevelTokenizer(pieces, files["merges.txt"], added, { config: settings, modelType }),
    };
  }
  const vocabulary = files["vocab.txt"];
  if (vocabulary === undefined)
    throw new InputError("there is no tokenizer: neither tokenizer.json nor vocab.json with merges.txt nor vocab.txt");
  const tokens = vocabulary.replace(/\r?\n$/, "").split(/\r?\n/);
  return { ...found, tokenizer: wordPieceTokenizer(tokens, settings) };
}

function parse<T>(files: TokenizerFiles, name: keyof TokenizerFiles, schema: z.ZodType<T>): T | undefined {
  const text = files[name];
  if (text === undefined) return undefined;
  const result = schema.safeParse(parseJson(name, text));
  if (result.success) return result.data;
  throw new InputError(schemaProblems(result.error.issues, `${name}: `));
}

function parseJson(name: string, text: string): unknown {
  const value = parsedTokenizer(text);
  if (value === undefined) throw new InputError(`${name} is not JSON`);
  if (isDeeper(value, deepest)) throw new InputError(`${name}: nested deeper than ${deepest}`);
  return value;
}

/** What walks through a tokenizer's parts, which may hold others, would end in the middle of deeper ones. */
const deepest = 100;

const isDeeper = (value: unknown, most: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (most === 0 || (Array.isArray(value) ? value : Object.values(value)).some((inner) => isDeeper(inner, most - 1)));

function withoutEmpty(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined));
}

/** tokenizer_config.json overrules BERT's normalizer in tokenizer.json, as transformers' BERT tokenizers do. */
function withSettings(tokenizer: TokenizerJson, config: TokenizerConfig): TokenizerJson {
  const { normalizer } = tokenizer;
  if (normalizer?.type !== "BertNormalizer") return tokenizer;
  const overruled: Normalizer = {
    ...normalizer,
    ...withoutEmpty({
      lowercase: config.do_lower_case,
      strip_accents: config.strip_accents,
      handle_chinese_chars: config.tokenize_chinese_chars,
    }),
  };
  return { ...tokenizer, normalizer: overruled };
}

/** The single steps of a normalizer, in order. */
export function normalizerSteps(normalizer: Normalizer | null | undefined): readonly Normalizer[] {
  if (!normalizer) return [];
  return normalizer.normalizers ? normalizer.normalizers.flatMap(normalizerSteps) : [normalizer];
}

import { InputError, refuse } from "../../errors.ts";
import { textToWords } from "./tokenizer-engine.ts";
import type { TokenizerJson } from "./tokenizer-files.ts";
import { byteLevelBpe } from "./training/byte-level-bpe.ts";
import { countWords } from "./training/count-words.ts";
import type { TrainableTokenizer } from "./training/trainable-tokenizer.ts";
import { wordPiece } from "./training/wordpiece.ts";

/** BERT's and GPT-2's: the first for encoders, the second, which no text is unknown to, for decoders. */
export const tokenizerKinds = ["wordpiece", "byte-level-bpe"] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

/** What is to be learnt. */
export interface TokenizerTraining {
  readonly kind: TokenizerKind;
  /** Number of tokens, special ones among them. */
  readonly vocabulary: number;
  /** Whether WordPiece makes small letters of capitals and drops accents; it does unless told. */
  readonly lowercase?: boolean;
  /** Words that WordPiece knows whole, however rare they are in the texts. */
  readonly words?: readonly string[] | undefined;
  /** The longest row of the model to come, in tokens: `model_max_length`. */
  readonly maxLength: number;
}

/** The files of a Hugging Face folder that make up a learnt tokenizer. */
export type TrainedTokenizer = Readonly<
  Record<"tokenizer.json" | "tokenizer_config.json" | "special_tokens_map.json", string>
>;

/**
 * Learns a tokenizer from texts that stream by. They are split into words by the very tokenizer that is learnt, each text
 * on its own, and only the words' counts are kept. The same texts give the same bytes, in whatever order they come (with
 * more than 3 million distinct words the rarest are forgotten, and which these are depends on the order).
 * Special tokens of WordPiece: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4; of byte-level BPE: <|endoftext|> 0, which
 * begins and ends a text, and <|padding|> 1.
 * @throws InputError: no words in the texts, or a vocabulary that is too small, with the smallest that is not.
 */
export async function trainTokenizer(
  texts: AsyncIterable<string>,
  training: TokenizerTraining,
): Promise<TrainedTokenizer> {
  refuse(problemsOf(training));
  const { specialTokens, config, untrained, ...kind } = kindOf(training);
  const toWords = textToWords({ tokenizer: untrained, config: {}, padTokenId: undefined });
  const words = await countWords(texts, toWords, kind);
  if (words.size === 0) throw new InputError("the texts hold no word that a tokenizer could be learnt from");
  const tokenizer = kind.train(words, training.vocabulary, training.words?.flatMap(toWords));
  return {
    "tokenizer.json": toJson({ version: "1.0", truncation: null, padding: null, ...written(tokenizer) }),
    "tokenizer_config.json": toJson({ ...config, ...specialTokens, model_max_length: training.maxLength }),
    "special_tokens_map.json": toJson(specialTokens),
  };
}

function kindOf({ kind, lowercase = true }: TokenizerTraining): TrainableTokenizer {
  return kind === "wordpiece" ? wordPiece(lowercase) : byteLevelBpe;
}

function problemsOf({ kind, vocabulary, lowercase, words, maxLength }: TokenizerTraining): readonly string[] {
  const problems: string[] = [];
  if (kind === "byte-level-bpe" && lowercase)
    problems.push("byte-level-bpe keeps capitals; lowercase is for wordpiece");
  if (kind === "byte-level-bpe" && words)
    problems.push("byte-level-bpe has no words of its own; words is for wordpiece");
  for (const [name, value] of Object.entries({ vocabulary, maxLength }))
    if (!Number.isInteger(value) || value < 1) problems.push(`${name} must be a whole number above 0, not ${value}`);
  return problems;
}

/** With its vocabulary as the file has it. */
const written = ({ model: { vocab, ...model }, ...parts }: TokenizerJson) => ({
  ...parts,
  model: { ...model, vocab: Array.isArray(vocab) ? vocab : Object.fromEntries(vocab.ids) },
});

const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

import { InputError } from "../../errors.ts";
import { type SpecialName, specialToken } from "./special-token.ts";
import type { TokenizerConfig, TokenizerJson } from "./tokenizer-files.ts";
import { listedVocabulary } from "./vocabulary.ts";

/** What WordPiece puts before a token that continues a word. */
export const continuation = "##";

/** Longer words, in characters, are the unknown token. */
export const longestWord = 100;

/**
 * BERT's tokenizer from its bare vocabulary, which is what vocab.txt holds, a token a line: [CLS] A [SEP] B [SEP].
 * Where nothing says whether it lowercases, a vocabulary with capital letters is taken to be a cased one.
 * @throws InputError when the vocabulary lacks the unknown token or one of those that the template needs.
 */
export function wordPieceTokenizer(tokens: readonly string[], config: TokenizerConfig): TokenizerJson {
  const name = (key: SpecialName, usual: string) => config[key] ?? usual;
  const unk = name("unk_token", "[UNK]");
  const [cls, sep] = [name("cls_token", "[CLS]"), name("sep_token", "[SEP]")];
  const special = [name("pad_token", "[PAD]"), unk, cls, sep, name("mask_token", "[MASK]")];
  const missing = [unk, cls, sep].filter((token) => !tokens.includes(token));
  if (missing.length > 0) throw new InputError(`vocab.txt lacks ${missing.map((token) => `"${token}"`).join(", ")}`);
  const vocab = listedVocabulary(tokens);
  const idOf = (token: string) => vocab.ids.get(token) ?? 0;
  const cased = tokens.some((token) => !special.includes(token) && /[A-Z]/.test(token));
  return {
    added_tokens: special.filter((token) => vocab.ids.has(token)).map((token) => specialToken(token, idOf(token))),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars ?? true,
      strip_accents: config.strip_accents ?? null,
      lowercase: config.do_lower_case ?? !cased,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", cls: [cls, idOf(cls)], sep: [sep, idOf(sep)] },
    decoder: { type: "WordPiece", prefix: continuation, cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: continuation,
      max_input_chars_per_word: longestWord,
      vocab,
    },
  };
}

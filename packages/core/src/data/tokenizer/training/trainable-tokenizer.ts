import type { SpecialName } from "../special-token.ts";
import type { TokenizerJson } from "../tokenizer-files.ts";
import type { WordCounts } from "./count-words.ts";

/** A kind of tokenizer that learns its vocabulary from counted words. */
export interface TrainableTokenizer {
  /** What it is before it has learnt anything: it splits texts into words as it will later. */
  readonly untrained: TokenizerJson;
  /** In UTF-16 units; longer words are not learnt from. */
  readonly longestWord: number;
  /**
   * The tokenizer with a vocabulary of `size` tokens, or fewer where the words have no more pairs.
   * @param whole words that are tokens whatever their counts; WordPiece's alone
   * @throws InputError saying the smallest size: special tokens, single characters and whole words alone are more.
   */
  train(words: WordCounts, size: number, whole?: readonly string[]): TokenizerJson;
  readonly specialTokens: Readonly<Partial<Record<SpecialName, string>>>;
  /** What else tokenizer_config.json says. */
  readonly config: Readonly<Record<string, unknown>>;
}

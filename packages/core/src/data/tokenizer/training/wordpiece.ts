import { continuation, longestWord, wordPieceTokenizer } from "../wordpiece-tokenizer.ts";
import type { WordCounts } from "./count-words.ts";
import { learnMerges } from "./learn-merges.ts";
import type { CountedWord } from "./pair-table.ts";
import { refuseSmaller } from "./smallest-vocabulary.ts";
import type { TrainableTokenizer } from "./trainable-tokenizer.ts";

const specialTokens = {
  pad_token: "[PAD]",
  unk_token: "[UNK]",
  cls_token: "[CLS]",
  sep_token: "[SEP]",
  mask_token: "[MASK]",
};

/** Rarer characters than the so many most frequent ones stay unknown. */
const largestAlphabet = 1000;

/**
 * BERT's WordPiece. Its vocabulary is learnt as the Hugging Face library's `WordPieceTrainer` learns it, by the merges of
 * byte-pair encoding over characters: c at a word's start, ##c behind it. To encode is another rule, the longest token
 * that fits (Devlin et al. 2018, arXiv:1810.04805, section 3), so the merges are forgotten.
 */
export function wordPiece(lowercase: boolean): TrainableTokenizer {
  const special = Object.values(specialTokens);
  const describe = (tokens: readonly string[]) => wordPieceTokenizer(tokens, { do_lower_case: lowercase });
  return {
    untrained: describe(special),
    longestWord,
    train: (words, size, whole = []) => {
      const fixed = [...new Set([...special, ...characterTokens(words), ...whole])];
      refuseSmaller(size, fixed.length);
      const join = (left: string, right: string) => left + right.slice(continuation.length);
      const known = new Set(whole); // they need no merges
      const others = new Map([...words].filter(([word]) => !known.has(word)));
      return describe(learnMerges(wordsOver(fixed, others), fixed, size, join).tokens);
    },
    specialTokens,
    config: {
      tokenizer_class: "BertTokenizer",
      model_input_names: ["input_ids", "token_type_ids", "attention_mask"],
      do_lower_case: lowercase,
    },
  };
}

/** The most frequent characters in the order of Unicode, then those of them that continue a word somewhere. */
function characterTokens(words: WordCounts): readonly string[] {
  const counts = new Map<string, number>();
  const continuing = new Set<string>();
  for (const [word, count] of words) {
    for (const [at, character] of [...word].entries()) {
      counts.set(character, (counts.get(character) ?? 0) + count);
      if (at > 0) continuing.add(character);
    }
  }
  const byFrequency = [...counts].sort(([a, m], [b, n]) => n - m || inUnicode(a, b));
  const kept = byFrequency.slice(0, largestAlphabet).map(([character]) => character);
  const ordered = kept.sort(inUnicode);
  return [...ordered, ...ordered.filter((c) => continuing.has(c)).map((c) => continuation + c)];
}

const inUnicode = (a: string, b: string) => a.codePointAt(0)! - b.codePointAt(0)!;

/** Words as ids, c first and then ##c; those with a character that stays unknown are left out. */
function wordsOver(alphabet: readonly string[], words: WordCounts): readonly CountedWord[] {
  const known = new Map(alphabet.map((token, id) => [token, id]));
  return [...words].flatMap(([word, count]) => {
    const ids = Array.from(word, (character, at) => known.get(at === 0 ? character : continuation + character));
    return ids.every((id) => id !== undefined) ? [{ ids, count }] : [];
  });
}

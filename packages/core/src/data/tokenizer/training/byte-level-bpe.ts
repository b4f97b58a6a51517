import { specialToken } from "../special-token.ts";
import type { TokenizerJson } from "../tokenizer-files.ts";
import { listedVocabulary } from "../vocabulary.ts";
import { type Learned, learnMerges } from "./learn-merges.ts";
import { refuseSmaller } from "./smallest-vocabulary.ts";
import type { TrainableTokenizer } from "./trainable-tokenizer.ts";

/** GPT-NeoX's names and ids: 0 begins and ends a text, 1 fills a batch. */
const [boundary, padding] = ["<|endoftext|>", "<|padding|>"];

/**
 * The characters that stand for the 256 bytes (Radford et al. 2019, GPT-2's encoder): printable bytes for themselves,
 * the others U+0100 to U+0143.
 */
const byteCharacters = [
  [33, 126],
  [161, 172],
  [174, 323],
].flatMap(([from = 0, to = 0]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)));

const alphabet = [boundary, padding, ...byteCharacters];

/**
 * Byte-pair encoding over bytes (Radford et al. 2019, "Language models are unsupervised multitask learners", section
 * 2.2): nothing is normalized and nothing is unknown, so every text comes back from its ids. As in Llama 3 a token stands
 * before each text: `<|endoftext|> A`, and of a pair `<|endoftext|> A <|endoftext|> B`.
 */
export const byteLevelBpe: TrainableTokenizer = {
  untrained: describe({ tokens: alphabet, merges: [] }),
  longestWord: 1000,
  train: (words, size) => {
    refuseSmaller(size, alphabet.length);
    const ids = new Map(alphabet.map((token, id) => [token, id]));
    const counted = Array.from(words, ([word, count]) => ({ ids: Array.from(word, (byte) => ids.get(byte)!), count }));
    return describe(learnMerges(counted, alphabet, size, (left, right) => left + right));
  },
  specialTokens: { bos_token: boundary, eos_token: boundary, pad_token: padding },
  config: {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_input_names: ["input_ids", "attention_mask"],
    clean_up_tokenization_spaces: false,
  },
};

function describe({ tokens, merges }: Learned): TokenizerJson {
  const vocab = listedVocabulary(tokens);
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const begin = { SpecialToken: { id: boundary, type_id: 0 } };
  const text = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  return {
    added_tokens: [specialToken(boundary, 0), specialToken(padding, 1)],
    normalizer: null,
    pre_tokenizer: bytes,
    post_processor: {
      type: "TemplateProcessing",
      single: [begin, text("A")],
      pair: [begin, text("A"), begin, text("B")],
      special_tokens: { [boundary]: { id: boundary, ids: [0], tokens: [boundary] } },
    },
    decoder: bytes,
    model: { type: "BPE", vocab, merges: merges.map((merge) => merge.join(" ")) },
  };
}

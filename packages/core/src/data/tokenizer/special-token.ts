/** The largest id of any tokenizer, several times over. */
export const largestId = 2 ** 22;

/** The special tokens that a model may have, by the names that transformers gives them. */
export const specialTokenNames = [
  "pad_token",
  "unk_token",
  "cls_token",
  "sep_token",
  "mask_token",
  "bos_token",
  "eos_token",
] as const;
export type SpecialName = (typeof specialTokenNames)[number];

/** A special token as tokenizer.json lists it: found in a text before anything is normalized. */
export function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

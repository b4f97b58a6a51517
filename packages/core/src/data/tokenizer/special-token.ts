import { z } from "zod";

/** The largest id of any tokenizer, several times over. */
export const largestId = 2 ** 22;

const tokenName = z.union([z.string(), z.object({ content: z.string() }).transform((token) => token.content)]);
const optionalName = tokenName.nullish().catch(undefined);

/** The special tokens that a configuration names; a token may be written with its settings. */
export const specialNames = z.object({
  pad_token: optionalName,
  unk_token: optionalName,
  cls_token: optionalName,
  sep_token: optionalName,
  mask_token: optionalName,
  bos_token: optionalName,
  eos_token: optionalName,
});

/** The special tokens that a model may have, by the names that transformers gives them. */
export type SpecialName = keyof z.infer<typeof specialNames>;
export const specialTokenNames = Object.keys(specialNames.shape).filter(
  (name): name is SpecialName => name in specialNames.shape,
);

/** A special token as tokenizer.json lists it: found in a text before anything is normalized. */
export function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

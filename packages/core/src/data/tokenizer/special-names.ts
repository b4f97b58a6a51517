import { z } from "zod";
import type { SpecialName } from "./special-token.ts";

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
} satisfies Record<SpecialName, typeof optionalName>);

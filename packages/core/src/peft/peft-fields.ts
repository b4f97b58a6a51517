import type { z } from "zod";
import { InputError, schemaProblems } from "../errors.ts";

type Json = Readonly<Record<string, unknown>>;

/** Fields of an adapter_config.json by their schema; throws one InputError with every field that is not of it. */
export function peftFields<T>(schema: z.ZodType<T>, json: Json): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new InputError(schemaProblems(parsed.error.issues, "adapter_config.json: "));
}

/** The fields of PEFT's types with virtual tokens; what they say of the model follows from the tensors' shapes. */
export const virtualTokenFields = [
  ...["num_virtual_tokens", "token_dim", "num_transformer_submodules", "num_attention_heads", "num_layers"],
];

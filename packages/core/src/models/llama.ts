import { z } from "zod";
import { defineDecoder, llamaHubPlaces } from "./decoder.ts";
import { decoderConfig, plainDecoder } from "./decoder-config.ts";

/** Llama 1 to 3 (Touvron et al. 2023, arXiv:2302.13971, section 2.2): a decoder normalised in front of each sublayer. */
export const llama = defineDecoder({
  modelType: "llama",
  config: decoderConfig.extend({ mlp_bias: z.boolean().default(false) }),
  classes: {
    base: "LlamaModel",
    classification: "LlamaForSequenceClassification",
    "token-classification": "LlamaForTokenClassification",
    "causal-lm": "LlamaForCausalLM",
  },
  adapterHub: llamaHubPlaces,
  decoder(config) {
    const plain = plainDecoder(config);
    return { ...plain, feedForward: { ...plain.feedForward, bias: config.mlp_bias } };
  },
});

import type { Method, PeftType } from "./method.ts";
import { bitfit } from "./methods/bitfit.ts";
import { bottleneck } from "./methods/bottleneck/bottleneck.ts";
import { parallel } from "./methods/bottleneck/parallel.ts";
import { full } from "./methods/full.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { lnTuning } from "./methods/ln-tuning.ts";
import { adalora } from "./methods/lora/adalora.ts";
import { dora } from "./methods/lora/dora.ts";
import { lora } from "./methods/lora/lora.ts";
import { loha } from "./methods/lycoris/loha.ts";
import { lokr } from "./methods/lycoris/lokr.ts";
import { llamaAdapter } from "./methods/prompts/llama-adapter.ts";
import { prefix } from "./methods/prompts/prefix.ts";
import { prompt } from "./methods/prompts/prompt.ts";
import { subspace } from "./methods/subspace.ts";
import { topLayers } from "./methods/top-layers.ts";
import { vera } from "./methods/vera.ts";

/** Every method by its name in code: one file in peft/methods, one line here. */
export const methodsByName = {
  full,
  head,
  topLayers,
  bottleneck,
  parallel,
  lora,
  dora,
  vera,
  adalora,
  loha,
  lokr,
  ia3,
  bitfit,
  lnTuning,
  prefix,
  prompt,
  llamaAdapter,
  subspace,
} as const;

export const methods: readonly Method[] = Object.values(methodsByName);

/** What is PEFT's own in how it keeps an adapter of one of its types; undefined for a type that petl does not read. */
export const peftTypeOf = (type: unknown): PeftType | undefined =>
  methods.find(({ peft }) => peft !== undefined && peft.type === type)?.peft;

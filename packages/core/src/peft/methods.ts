import type { Method } from "./method.ts";
import { adalora } from "./methods/adalora.ts";
import { bitfit } from "./methods/bitfit.ts";
import { bottleneck } from "./methods/bottleneck.ts";
import { dora } from "./methods/dora.ts";
import { full } from "./methods/full.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { llamaAdapter } from "./methods/llama-adapter.ts";
import { loha } from "./methods/loha.ts";
import { lokr } from "./methods/lokr.ts";
import { lora } from "./methods/lora.ts";
import { parallel } from "./methods/parallel.ts";
import { prefix } from "./methods/prefix.ts";
import { prompt } from "./methods/prompt.ts";
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
  prefix,
  prompt,
  llamaAdapter,
  subspace,
} as const;

export const methods: readonly Method[] = Object.values(methodsByName);

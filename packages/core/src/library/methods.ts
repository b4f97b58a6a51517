import type { MethodUse } from "../peft/method.ts";
import { methodsByName } from "../peft/methods.ts";
import type { OptionInputs } from "../peft/options.ts";
import { requireOptions } from "./check.ts";

type MethodName = keyof typeof methodsByName;

/**
 * A method as a function of its options, whose names, types and defaults are those of the method's declaration; their
 * meaning is told by `petl methods`. It throws an InputError with every value that the method refuses.
 */
export type MethodFunction<N extends MethodName> = (
  options?: OptionInputs<(typeof methodsByName)[N]["options"]>,
) => MethodUse;

const chosen =
  <N extends MethodName>(name: N): MethodFunction<N> =>
  (options = {}) =>
    methodsByName[name].use({ ...requireOptions(options) });

export const full = chosen("full");
export const head = chosen("head");
export const topLayers = chosen("topLayers");
export const bottleneck = chosen("bottleneck");
export const parallel = chosen("parallel");
export const lora = chosen("lora");
export const dora = chosen("dora");
export const vera = chosen("vera");
export const adalora = chosen("adalora");
export const loha = chosen("loha");
export const lokr = chosen("lokr");
export const ia3 = chosen("ia3");
export const bitfit = chosen("bitfit");
export const lnTuning = chosen("lnTuning");
export const prefix = chosen("prefix");
export const prompt = chosen("prompt");
export const subspace = chosen("subspace");
export const llamaAdapter = chosen("llamaAdapter");

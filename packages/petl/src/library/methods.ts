import { type MethodOf, type MethodUse, methodsByName, type OptionInputs, type Options } from "@petl/core";

/** A method as a function of its options, whose names, types and defaults are those of the method's declaration. */
export type MethodFunction<O extends Options> = (options?: OptionInputs<O>) => MethodUse;

const chosen =
  <O extends Options>(method: MethodOf<O>): MethodFunction<O> =>
  (options) =>
    method.use({ ...options });

export const full = chosen(methodsByName.full);
export const head = chosen(methodsByName.head);
export const topLayers = chosen(methodsByName.topLayers);
export const bottleneck = chosen(methodsByName.bottleneck);
export const parallel = chosen(methodsByName.parallel);
export const lora = chosen(methodsByName.lora);
export const dora = chosen(methodsByName.dora);
export const ia3 = chosen(methodsByName.ia3);
export const bitfit = chosen(methodsByName.bitfit);
export const prefix = chosen(methodsByName.prefix);

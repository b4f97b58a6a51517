import type { AdaptedModel } from "./adapt.ts";

/** The longest row that a model takes, in tokens: learned tokens in front of the text take up positions too. */
export function longestRow({ base, methods }: Pick<AdaptedModel, "base" | "methods">): number {
  return methods.reduce((rest, use) => rest - (use.virtualTokens?.() ?? 0), base.model.sizes.maxTokens);
}

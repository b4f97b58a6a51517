import type { AdaptedModel } from "./adapt.ts";

type Adapted = Pick<AdaptedModel, "base" | "methods">;

/** The longest row that a model takes, in tokens: learned tokens in front of the text take up positions too. */
export const longestRow = ({ base, methods }: Adapted): number => base.model.sizes.maxTokens - virtualTokens(methods);

/** The longest row of which a model has seen the like while it was pre-trained. */
export const trainedRow = ({ base, methods }: Adapted): number =>
  base.model.sizes.trainedTokens - virtualTokens(methods);

const virtualTokens = (methods: Adapted["methods"]): number =>
  methods.reduce((sum, use) => sum + (use.virtualTokens?.() ?? 0), 0);

import type { Measuring, Metric } from "../objective.ts";

/** What is said of words of the vocabulary. */
export interface WordMeasures {
  /** the share of tokens with a label than which no word is likelier */
  readonly accuracy: number;
  /** e to the loss */
  readonly perplexity: number;
}

export const wordMetrics: readonly Metric[] = [
  { name: "perplexity", better: "lower" },
  { name: "accuracy", better: "higher" },
];

/** The graph counts right answers where the logits are, chunk by chunk. */
export const measureWords = (): Measuring<WordMeasures> => ({
  add: () => {},
  result: ({ loss, items, right }) => ({ accuracy: right / items, perplexity: Math.exp(loss) }),
});

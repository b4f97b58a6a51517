import type { Evaluation } from "./evaluate.ts";

/** All that a run needs to go on where it was: what the next step depends on besides settings and data. */
export interface TrainingState {
  /** optimizer steps done */
  readonly step: number;
  readonly tokens: number;
  /** Φ */
  readonly values: Float32Array;
  /** the optimizer's, each of Φ's layout */
  readonly moments: readonly Float32Array[];
  /** the best adapter so far; undefined where a run does not look for it */
  readonly best: Best | undefined;
  /** whether the evaluation behind the step is still to come */
  readonly pending?: boolean | undefined;
  /** the newest evaluation */
  readonly evaluation?: Evaluation | undefined;
}

/** The best evaluation so far. */
export interface Best {
  /** of the metric that says which is best; more is better */
  readonly score: number;
  readonly step: number;
  /** evaluations since that were no better */
  readonly since: number;
  /** Φ at that step */
  readonly values: Float32Array;
  readonly evaluation: Evaluation;
}

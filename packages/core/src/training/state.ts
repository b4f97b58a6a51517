/** All that a run needs to go on where it was: what the next step depends on besides settings and data. */
export interface TrainingState {
  /** optimizer steps done */
  readonly step: number;
  readonly tokens: number;
  /** Φ */
  readonly values: Float32Array;
  /** the optimizer's, each of Φ's layout */
  readonly moments: readonly Float32Array[];
  /** what early stopping has seen; undefined without it */
  readonly best: Best | undefined;
}

/** The best evaluation so far. */
export interface Best {
  readonly loss: number;
  readonly step: number;
  /** evaluations since that were no better */
  readonly since: number;
  /** Φ at that step */
  readonly values: Float32Array;
}

/** Work that is counted and has no steps of its own. */
export interface StageProgress {
  readonly what: string;
  readonly done: number;
  readonly of: number;
  /** what is counted; bytes are shown as megabytes */
  readonly unit: "MB" | "rows" | "texts" | "cells";
  /** what is worked at now, and what is not begun */
  readonly running?: number;
  readonly waiting?: number;
  readonly secondsLeft?: number;
}

/** How the stages are watched and ended. */
export interface StageWatch {
  readonly onProgress: (progress: StageProgress) => void;
  readonly remark: (text: string) => void;
  readonly signal: AbortSignal;
}

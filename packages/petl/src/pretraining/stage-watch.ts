import type { StageProgress } from "../cli/terminal.ts";

/** How the stages are watched and ended. */
export interface StageWatch {
  readonly onProgress: (progress: StageProgress) => void;
  readonly remark: (text: string) => void;
  readonly signal: AbortSignal;
}

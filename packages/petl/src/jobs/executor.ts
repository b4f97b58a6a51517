import type { AttemptEnd } from "./attempt.ts";

/**
 * Decides who works on which job, and when. The truth about jobs stands in their folders: an executor that forgets
 * everything loses time and no job, and one that hands a job out twice has it done once.
 */
export interface Executor {
  /** Hands a job out; of one that is handed out already this changes nothing. */
  enqueue(id: string): Promise<void>;
  /** Ends the work under way with a checkpoint, and hands nothing out any more. */
  close(): Promise<void>;
}

/** Works on one job. */
export type Work = (id: string, signal: AbortSignal) => Promise<AttemptEnd>;

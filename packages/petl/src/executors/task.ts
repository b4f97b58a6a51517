/** A piece of work whose truth stands in files: a fine-tuning job, or cells of the study in a folder. Ids are of one kind alone. */
export type HandedTask =
  | { readonly kind: "job"; readonly id: string }
  | { readonly kind: "cells"; readonly id: string; readonly out: string };

/** One kind of tasks. */
export type TaskOf<K extends HandedTask["kind"]> = Extract<HandedTask, { readonly kind: K }>;

/** Works on a task until it has ended, or until `signal` is aborted; says in a word how it went. */
export type Work<T extends HandedTask> = (task: T, signal: AbortSignal) => Promise<string>;

/**
 * Decides who works on which task, and when. An executor that forgets everything loses time and no task, and one that
 * hands a task out twice has it done once, since what came of it is written by the first one alone.
 */
export interface Executor<T extends HandedTask> {
  /** Hands a task out; of one that is handed out already this changes nothing. */
  hand(task: T): Promise<void>;
  /** Ends the work under way as its kind ends early, and hands nothing out any more. */
  close(): Promise<void>;
}

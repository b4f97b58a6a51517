import { RunError } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import type { Phi } from "../peft/phi.ts";
import type { Cell, Fit, Job, Measured, Setup } from "./study.ts";

/** A model at some step of its training. */
export interface Fitted {
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  /** steps that were made */
  readonly step: number;
  /** that they took */
  readonly seconds: number;
}

/** What the scoring rows say of a model. */
export type Scored = Pick<Measured, "score" | "score_name" | "scores" | "loss" | "outcomes">;

/** Where cells are worked at: one open base and one tokenised data set. */
export interface Bench {
  readonly setup: Setup;
  readonly base: Base;
  /** Trains, and gives the model at each of some steps, in ascending order; its Φ is the training's own. */
  train(fit: Fit, seed: number, at?: readonly number[]): AsyncIterable<Fitted>;
  /** What a record says of a training. */
  described(fit: Fit, seed: number, fitted: Fitted): Promise<Omit<Measured, keyof Scored>>;
  /** Φ as it is before any training. */
  start(fit: Fit, seed: number): Promise<{ readonly adapted: AdaptedModel; readonly phi: Phi }>;
  score(model: Pick<Fitted, "adapted" | "phi">): Promise<Scored>;
  /** The score on the fifth of the training rows that a rate is chosen on. */
  heldOutScore(model: Pick<Fitted, "adapted" | "phi">): Promise<number>;
  /** The base's own loss on source text with the trained body. */
  sourceLoss(model: Pick<Fitted, "adapted" | "phi">): Promise<number>;
  /** What a record says of a training that broke off because its numbers were no longer finite. */
  diverged(fit: Fit, seed: number): Promise<Measured>;
  /** What a record says where nothing is trained. */
  untrained(): Promise<Measured>;
}

/** The work of most cells: to train once and to score; `beside` adds what a study wants to know of the trained model. */
export async function* trainOnce(
  bench: Bench,
  { fit, seed, cells }: Job,
  beside: (fitted: Fitted) => Partial<Measured> = () => ({}),
): AsyncGenerator<{ readonly cell: Cell; readonly measured: Measured }, void, void> {
  const [cell] = cells;
  if (!fit || !cell) return;
  try {
    for await (const fitted of bench.train(fit, seed)) {
      const measured = { ...(await bench.described(fit, seed, fitted)), ...(await bench.score(fitted)) };
      yield { cell, measured: { ...measured, ...beside(fitted), ...(await besideScore(bench, fit, fitted)) } };
    }
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    yield { cell, measured: await bench.diverged(fit, seed) };
  }
}

/** What a rate is chosen by, or what is forgotten where there is text of the source task. */
async function besideScore(bench: Bench, { rows }: Fit, fitted: Fitted): Promise<Partial<Measured>> {
  if (rows === "selection") return { held_out_score: await bench.heldOutScore(fitted) };
  return bench.setup.hasSource ? { source_loss: await bench.sourceLoss(fitted) } : {};
}

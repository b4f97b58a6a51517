import type { ExampleSet } from "../data/rows/examples.ts";
import { InputError } from "../errors.ts";
import { lengthOf, takeOwn } from "../peft/phi.ts";
import { memoryOf } from "../training/after-step.ts";
import { coordinatesOf } from "../training/coordinates.ts";
import { moveAgainst, putTrained, trainedValues } from "../training/move.ts";
import { optimizers } from "../training/optimizers.ts";
import type { TrainingState } from "../training/state.ts";
import "./async-dispose.ts";
import { requireModel, what } from "./check.ts";
import type { OpenModel } from "./model.ts";
import type { Rows } from "./rows.ts";
import { checkedState, copiedState } from "./train.ts";
import { gradientWork, type RowsLoss, rowReading, type TrainerOptions } from "./trainer-gradient.ts";

/** One step of a trainer's optimizer. */
export interface TrainerStep {
  /** from 1 on */
  readonly step: number;
  readonly lr: number;
  /** norm over all of Φ before clipping */
  readonly gradNorm: number;
}

/** A training whose loop is the caller's. One call is carried out behind the other. */
export interface Trainer {
  /**
   * The loss of rows, and its gradient, which waits for the next step. Of several calls before it the gradient is that of
   * the mean over all their items, as if they were one. Between calls the model can be asked and saved.
   * @throws InputError for rows that don't fit
   */
  forwardBackward(rows: Rows | ExampleSet): Promise<RowsLoss>;
  /**
   * One step of the optimizer against the gradient that waits, by a rate of its own or that of the options.
   * @throws InputError where no gradient waits; RunError where it is not finite, and Φ stays as it was
   */
  step(options?: { readonly lr?: number }): Promise<TrainerStep>;
  /** Φ, the optimizer's moments and the number of steps, copied; for {@link Trainer.restore}, and for `train` to go on from. */
  state(): TrainingState;
  /** Puts a state in the place of the present one; a gradient that waits is forgotten. @throws InputError for another model's */
  restore(state: TrainingState): void;
  /** Ends what it computes with; the model stays. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a model for a training loop of one's own, with asking in between (`predict`, `generate`, …). Any number of trainers
 * may stand on one base, each with its own adapter.
 * @throws InputError for settings that don't fit the model
 */
export async function openTrainer(model: OpenModel, options: TrainerOptions = {}): Promise<Trainer> {
  const { adapted, phi } = requireModel(model);
  takeOwn(phi);
  const how = rowReading(model, options);
  const { settings } = how;
  const coordinates = coordinatesOf(adapted, phi, settings.seed);
  const length = coordinates?.values.length ?? lengthOf(phi.layout);
  const count = optimizers[settings.optimizer].moments + memoryOf(adapted);
  const moments = Array.from({ length: count }, () => new Float32Array(length));
  const work = await gradientWork(model, how);
  let [steps, tokens] = [0, 0];
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(next: () => Promise<T>): Promise<T> => {
    const found = last.then(next);
    last = found.catch(() => undefined);
    return found;
  };
  const step = async (lr: number): Promise<TrainerStep> => {
    if (typeof lr !== "number" || !(lr >= 0)) throw new InputError(`lr is ${what(lr)}; it must be a number from 0 on`);
    const waiting = work.take();
    if (!waiting) throw new InputError("no gradient waits for a step; call forwardBackward first");
    const moving = { adapted, phi, settings: { ...settings, lr }, coordinates, moments };
    const move = { sum: waiting.loss, lr, step: steps + 1, steps: settings.steps ?? steps + 1 };
    const gradNorm = moveAgainst(waiting.gradient, moving, move);
    return { step: ++steps, lr, gradNorm };
  };
  const close = () => inTurn(() => work.release());
  return {
    forwardBackward: (rows) => inTurn(() => work.forwardBackward(rows)),
    step: ({ lr = settings.lr } = {}) => inTurn(() => step(lr)),
    state() {
      const values = trainedValues(phi, coordinates);
      return copiedState({ step: steps, tokens: tokens + work.tokens(), values, moments, best: undefined });
    },
    restore(given) {
      const state = checkedState(given, "state");
      const fits = state.values.length === length && state.moments.every((moment) => moment.length === length);
      if (!fits || state.moments.length !== count)
        throw new InputError(
          `the state has ${state.values.length} trained numbers and ${state.moments.length} vectors of an optimizer; this model has ${length} and ${count}`,
        );
      putTrained(phi, coordinates, state.values);
      for (const [at, moment] of state.moments.entries()) moments[at]?.set(moment);
      work.take();
      steps = state.step;
      tokens = state.tokens - work.tokens();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

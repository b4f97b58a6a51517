import { InputError, RunError } from "../errors.ts";
import type { MethodUse } from "../peft/method.ts";
import { type Together, together } from "../training/together.ts";
import { type TrainingEvent, trainSteps } from "../training/train.ts";
import { requireOptions, requireUsers } from "./check.ts";
import { type AdaptPurpose, adaptTo, type OpenModel } from "./model.ts";
import type { OpenBase } from "./open-base.ts";
import { copiedState, type PreparedTraining, prepareTraining, type TrainData, type TrainOptions } from "./train.ts";

/** One of many who train on one base. */
export interface TrainUser {
  readonly name: string;
  /** data that were opened */
  readonly data: AdaptPurpose & TrainData;
  /** the settings' own where left out */
  readonly seed?: number | undefined;
}

/** A training's event with whose it is, and the model that it trains, to be saved or asked. */
export type ManyEvent = TrainingEvent & { readonly name: string; readonly model: OpenModel };

/**
 * Trains an adapter for each user on one base, all in one step where the mathematics allows it: each with its own rows,
 * start, optimizer state, schedule and end. One user is trained as `train` trains it, to the bit; of several each is what
 * it is alone, up to the rounding of float32 sums in another order.
 *
 * @throws InputError at the end, with what kept users from being trained; the others are trained all the same
 */
export async function* trainMany(
  base: OpenBase,
  users: readonly TrainUser[],
  method: MethodUse | readonly MethodUse[],
  settings: TrainOptions = {},
): AsyncGenerator<ManyEvent, void, void> {
  requireUsers(users);
  const twice = users.filter(({ name }, at) => users.findIndex((user) => user.name === name) !== at);
  if (users.length === 0) throw new InputError("there are no users to train");
  if (twice.length > 0) throw new InputError(twice.map(({ name }) => `there are two users "${name}"`));
  const { signal, resume, ...given } = requireOptions(settings);
  if (resume !== undefined) throw new InputError("resume is the state of one training; many cannot go on from it");
  const problems: string[] = [];
  const prepared: UserRun[] = [];
  for (const { name, data, seed = given.seed ?? 0 } of users) {
    try {
      const model = await adaptTo(base, method, data, { seed });
      prepared.push({ ...(await prepareTraining(model, data, { ...given, seed })), name, model, signal });
    } catch (error) {
      problems.push(...problemsOf(name, error));
    }
  }
  for (const list of together(prepared)) yield* sideBySide(list, problems);
  if (problems.length > 0) throw new InputError(problems);
}

interface UserRun extends PreparedTraining, Pick<TrainOptions, "signal"> {
  readonly name: string;
  readonly model: OpenModel;
}

/** The events of several trainings as they come; each goes on once its last event was taken. */
async function* sideBySide(
  list: readonly Together<UserRun>[],
  problems: string[],
): AsyncGenerator<ManyEvent, void, void> {
  const runs = list.map(({ run, step }) => ({ run, step, events: trainSteps({ ...run, step }) }));
  const coming = new Map<UserRun, Promise<Come>>();
  const ask = ({ run, step, events }: (typeof runs)[number]) => {
    const come = events.next().then(
      ({ done, value }): Come => ({ run, again: () => ask({ run, step, events }), event: done ? undefined : value }),
      (error: unknown): Come => ({ run, again: () => undefined, event: undefined, error }),
    );
    coming.set(
      run,
      come.then(async (found) => {
        if (found.event === undefined) await step?.release();
        return found;
      }),
    );
  };
  for (const each of runs) ask(each);
  try {
    while (coming.size > 0) {
      const { run, again, event, error } = await Promise.race(coming.values());
      coming.delete(run);
      if (error !== undefined) problems.push(...problemsOf(run.name, error));
      if (event === undefined) continue;
      const { name, model } = run;
      yield { ...(event.kind === "checkpoint" ? { ...event, state: copiedState(event.state) } : event), name, model };
      again();
    }
  } finally {
    for (const { step } of runs) await step?.release();
    await Promise.allSettled(runs.map(({ events }) => events.return()));
  }
}

interface Come {
  readonly run: UserRun;
  again(): void;
  /** undefined at the end */
  readonly event: TrainingEvent | undefined;
  readonly error?: unknown;
}

/** What a user is to be told. @throws what is nobody's to mend */
function problemsOf(name: string, error: unknown): readonly string[] {
  if (!(error instanceof InputError || error instanceof RunError)) throw error;
  return error.message.split("\n").map((line) => `${name}: ${line}`);
}

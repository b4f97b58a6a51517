import {
  adaptTo,
  InputError,
  type MethodUse,
  type OpenBase,
  type OpenData,
  type OpenModel,
  RunError,
  type TrainOptions,
  train,
} from "@petl/core";
import { openData } from "./open-data.ts";

/** One of many who train on one base. */
export interface TrainUser {
  readonly name: string;
  /** a path, or data that were opened */
  readonly data: string | OpenData;
  /** the settings' own where left out */
  readonly seed?: number;
}

type Events = ReturnType<typeof train> extends AsyncGenerator<infer Event> ? Event : never;

/** A training's event with whose it is, and the model that it trains, to be saved or asked. */
export type ManyEvent = Events & { readonly name: string; readonly model: OpenModel };

/**
 * Trains an adapter for each user, on one base that is opened once: each with its own rows, start, state and end, as
 * `train` trains it alone.
 *
 * @throws InputError at the end, with what kept users from being trained; the others are trained all the same
 */
export async function* trainMany(
  base: OpenBase,
  users: readonly TrainUser[],
  method: MethodUse | readonly MethodUse[],
  settings: TrainOptions = {},
): AsyncGenerator<ManyEvent, void, void> {
  const twice = users.filter(({ name }, at) => users.findIndex((user) => user.name === name) !== at);
  if (users.length === 0) throw new InputError("there are no users to train");
  if (twice.length > 0) throw new InputError(twice.map(({ name }) => `there are two users "${name}"`));
  const problems: string[] = [];
  for (const user of users) {
    try {
      yield* trainUser(base, user, method, settings);
    } catch (error) {
      if (!(error instanceof InputError || error instanceof RunError)) throw error;
      problems.push(...error.message.split("\n").map((line) => `${user.name}: ${line}`));
    }
  }
  if (problems.length > 0) throw new InputError(problems);
}

async function* trainUser(
  base: OpenBase,
  { name, data: given, seed: own }: TrainUser,
  method: MethodUse | readonly MethodUse[],
  settings: TrainOptions,
): AsyncGenerator<ManyEvent, void, void> {
  const seed = own ?? settings.seed ?? 0;
  const data = typeof given === "string" ? await openData(given, base, { seed }) : given;
  const model = await adaptTo(base, method, data, { seed });
  for await (const event of train(model, data, { ...settings, seed })) yield { ...event, name, model };
}

import {
  trainMany as coreTrainMany,
  InputError,
  type ManyEvent,
  type MethodUse,
  type OpenBase,
  type OpenData,
  type TrainUser as OpenUser,
  requireUsers,
  type TrainOptions,
} from "@petl/core";
import { openData } from "./open-data.ts";

/** One of many who train on one base. */
export interface TrainUser extends Omit<OpenUser, "data"> {
  /** a path, or data that were opened */
  readonly data: string | OpenData;
}

/**
 * Trains an adapter for each user on one base, all in one step where the mathematics allows it; see `@petl/core`. Users'
 * data may be paths.
 *
 * @throws InputError at the end, with what kept users from being trained; the others are trained all the same
 */
export async function* trainMany(
  base: OpenBase,
  users: readonly TrainUser[],
  method: MethodUse | readonly MethodUse[],
  settings: TrainOptions = {},
): AsyncGenerator<ManyEvent, void, void> {
  const problems: string[] = [];
  const opened: OpenUser[] = [];
  for (const user of requireUsers(users)) {
    const { data, seed = settings.seed ?? 0 } = user;
    try {
      opened.push({ ...user, data: typeof data === "string" ? await openData(data, base, { seed }) : data });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems.map((problem) => `${user.name}: ${problem}`));
    }
  }
  try {
    if (opened.length > 0 || problems.length === 0) yield* coreTrainMany(base, opened, method, settings);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
  }
  if (problems.length > 0) throw new InputError(problems);
}

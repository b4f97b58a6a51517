import { InputError, suggestion } from "@petl/core";
import { mlflow } from "./mlflow.ts";
import { tensorboard } from "./tensorboard.ts";
import type { TrackedRun, Tracker, TrackerKind } from "./tracker.ts";
import { wandbOffline } from "./wandb-offline.ts";

/** Every kind of tracker: one file in trackers, one line here. */
export const trackers: readonly TrackerKind[] = [tensorboard, mlflow, wandbOffline];

/** What `--log-to` takes, in words. */
export const trackerForms = trackers.map(({ name, place }) => `${name}:${place}`).join(", ");

/** Opens what a run tells its numbers to, beside its own metrics.jsonl; `KIND:PLACE` each. */
export const openTrackers = (given: readonly string[], run: TrackedRun): Promise<readonly Tracker[]> =>
  Promise.all(given.map((each) => chooseTracker(each).open(run)));

/** Asks whether all of them can be told a run, before anything of it is written. @throws InputError, MachineError */
export const reachTrackers = async (given: readonly string[]): Promise<void> => {
  const chosen = given.map(chooseTracker);
  await Promise.all(chosen.map(({ reach }) => reach()));
};

/** A tracker that is chosen and not yet told of a run. */
interface ChosenTracker {
  reach(): Promise<void>;
  open(run: TrackedRun): Promise<Tracker>;
}

/**
 * The tracker that `KIND:PLACE` names.
 * @throws InputError listing the kinds
 */
export function chooseTracker(given: string): ChosenTracker {
  const [, kind = given, place = ""] = /^([^:]*):(.*)$/s.exec(given) ?? [];
  const found = trackers.find(({ name }) => name === kind);
  if (!found) {
    const names = trackers.map(({ name }) => name);
    throw new InputError(`--log-to "${given}" names no tracker${suggestion(kind, names)}; possible: ${trackerForms}`);
  }
  if (place === "") throw new InputError(`--log-to "${given}" names no place; ${kind}:${found.place}`);
  return { reach: async () => found.reach?.(place), open: (run) => found.open(place, run) };
}

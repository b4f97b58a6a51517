import type { TrainingEvent } from "@petl/core";
import type { Watch } from "../runs/store-run.ts";
import { scalarsOf, type Tracker } from "../trackers/tracker.ts";

/** A watch that tells trackers the run's numbers too: those of steps by their names, those of evaluations behind `evaluation/`. */
export function trackedBy(trackers: readonly Tracker[], watch: Watch): Watch {
  return {
    ...watch,
    onEvent(event, seconds) {
      watch.onEvent(event, seconds);
      const values = numbersOf(event);
      if (!values || !("step" in event)) return;
      for (const tracker of trackers) tracker.log(event.step, values, Date.now() / 1000);
    },
  };
}

function numbersOf(event: TrainingEvent): Readonly<Record<string, number>> | undefined {
  if (event.kind === "evaluation") return scalarsOf({ evaluation: event.evaluation });
  if (event.kind !== "step") return undefined;
  const { kind: _, step: __, ...values } = event;
  return scalarsOf(values);
}

import { InputError } from "../errors.ts";
import { metricsOf } from "../objectives/objectives.ts";
import type { Phi } from "../peft/phi.ts";
import type { Evaluation } from "./evaluate.ts";
import type { TrainingSettings } from "./settings.ts";
import type { Best, TrainingState } from "./state.ts";
import type { TrainingRun } from "./train.ts";

/** Which adapter a run keeps. */
export const keptOf = ({ keep, earlyStop }: TrainingSettings): "best" | "last" =>
  keep ?? (earlyStop > 0 ? "best" : "last");

/** Whether a run looks for its best adapter. */
export const looksForBest = (settings: TrainingSettings): boolean =>
  settings.earlyStop > 0 || keptOf(settings) === "best";

/** The best so far after one more evaluation; none where nobody asks. */
export function bestOf(
  { step, best }: Pick<TrainingState, "step" | "best">,
  evaluation: Evaluation,
  phi: Phi,
  { settings, adapted }: Pick<TrainingRun, "settings" | "adapted">,
): Best | undefined {
  if (!looksForBest(settings)) return undefined;
  const score = scoreOf(evaluation, settings.bestBy ?? "loss", adapted);
  if (best && score <= best.score) return { ...best, since: best.since + 1 };
  return { score, step, since: 0, values: phi.values.slice(), evaluation };
}

/** A metric such that more is better. @throws InputError for one that the evaluation has not */
function scoreOf(evaluation: Evaluation, name: string, { goal }: Pick<TrainingRun["adapted"], "goal">): number {
  const metrics = Object.entries(evaluation).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number" && entry[0] !== "examples",
  );
  const found = metrics.find(([metric]) => metric === name);
  if (!found) {
    const known = metrics.map(([metric]) => metric).join(", ");
    throw new InputError(`bestBy is "${name}", and the evaluation has no such metric; its metrics: ${known}`);
  }
  return metricsOf(goal.task).find((metric) => metric.name === name)?.better === "higher" ? found[1] : -found[1];
}

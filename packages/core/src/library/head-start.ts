import type { ExampleSet } from "../data/rows/examples.ts";
import { objectiveOf, type Task } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorWriter } from "../peft/phi.ts";

/** Deviations from which on labels lie so far apart that a few steps hardly reach them. */
const far = 10;

/**
 * Lets a new head that gives a number begin at the labels' mean, where it has a bias to hold it: at 0 it would spend its first
 * steps on the way there, most of the run where labels lie far from it. A head of the checkpoint stays as it is.
 * @returns what was done, and what is to be known of labels that lie far apart, in words
 */
export function startHead(
  { layout, newTensors, goal }: Pick<AdaptedModel, "layout" | "newTensors" | "goal">,
  phi: Phi,
  task: Task,
  train: ExampleSet | undefined,
): readonly string[] {
  const found = train && newTensors.length > 0 ? objectiveOf(task).levelOf?.(train) : undefined;
  if (!found) return [];
  const { mean, deviation } = found;
  const isOutput = ({ name, role, shape }: (typeof layout)[number]) =>
    newTensors.includes(name) && role === "bias" && shape.length === 1 && shape[0] === goal.labels;
  const bias = layout.find(isOutput)?.name;
  if (bias !== undefined) tensorWriter(phi)(bias, Float32Array.of(mean));
  const isFar = deviation > far || (bias === undefined && Math.abs(mean) > far);
  const level = `labels lie around ${shown(mean)}, ${shown(deviation)} apart from it`;
  return [
    ...(bias === undefined ? [] : [`the head's ${bias} starts at ${shown(mean)}, the mean of the labels`]),
    ...(isFar
      ? [
          `${level}, far for a head whose answers begin near ${bias === undefined ? 0 : shown(mean)}; divided so that they lie a few units apart they are learnt in fewer steps`,
        ]
      : []),
  ];
}

const shown = (value: number): number => Number(value.toPrecision(4));

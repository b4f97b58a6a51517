import type { Label } from "../data/rows/examples.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "./adapt.ts";
import type { Phi } from "./phi.ts";

/** An adapter on its base, ready to be trained, asked, saved and merged: g(x; Θ, Φ) with its numbers. */
export interface Adapter extends AdapterNumbers {
  /** in the order of their ids, one for each of the head's outputs */
  readonly labels: readonly Label[];
}

/** The labels that files name; none where an answer is no class. */
export const namedLabels = ({ adapted, labels }: Adapter): readonly Label[] | undefined =>
  objectiveOf(adapted.goal.task).hasClasses ? labels : undefined;

/** An adapter whose labels nobody asks for. */
export interface AdapterNumbers {
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
}

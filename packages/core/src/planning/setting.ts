import { adapterSize } from "../adapters/encode-adapter.ts";
import type { LabelName } from "../adapters/petl-fields.ts";
import { fullSize } from "../exports/merged.ts";
import type { FloatType } from "../exports/task-config.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import { countParameters, type ParameterCounts } from "../peft/counts.ts";
import type { Goal } from "../peft/goal.ts";
import type { MethodUse } from "../peft/method.ts";
import { type Load, type TrainingMemory, trainingMemory } from "./training-memory.ts";

/** What a plan is made for. */
export interface PlannedTraining {
  /** the base as its configuration says, of which counts are taken */
  readonly counted: Base;
  /** the base with its tensors where they are known, or as it is taken to be */
  readonly base: Base;
  /** the element type of the base's tensors, and the bits of its matrices where they are quantised */
  readonly dtype: FloatType;
  readonly bits: number | undefined;
  readonly goal: Goal;
  /** whether base or asker say what the head is for; otherwise no head is counted */
  readonly hasTask: boolean;
  readonly labels: readonly LabelName[] | undefined;
  readonly petlVersion: string | undefined;
  readonly load: Load;
}

/** A method with all its options on a base; bytes are found when they are asked for. */
export interface MeasuredSetting {
  readonly use: MethodUse;
  readonly adapted: AdaptedModel;
  readonly counts: ParameterCounts;
  adapterBytes(): number;
  memory(): TrainingMemory;
}

/** Measures a setting. @throws InputError where the method finds nothing to do in this base */
export function measure(training: PlannedTraining, use: MethodUse): MeasuredSetting {
  const { counted, base, goal, hasTask, labels, petlVersion, load } = training;
  const adapted = adapt(base, [use], goal);
  const all = countParameters(counted === base ? adapted : adapt(counted, [use], goal));
  const counts = hasTask ? all : { ...all, head_parameters: 0, trainable_ratio_with_head: all.trainable_ratio };
  const info = { baseName: base.name, labels, petlVersion };
  return {
    use,
    adapted,
    counts,
    adapterBytes: once(() => (use.name === "full" ? fullSize(base, adapted, info) : adapterSize(adapted, info))),
    memory: once(() => trainingMemory(adapted, load)),
  };
}

function once<T>(find: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => {
    known ??= { value: find() };
    return known.value;
  };
}

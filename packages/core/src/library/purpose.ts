import type { HfModel } from "../checkpoints/hf-model.ts";
import { type ExampleSet, isLabelled } from "../data/rows/examples.ts";
import { labelMap, learnLabels } from "../data/rows/labels.ts";
import { guessTask } from "../data/rows/task.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { isLanguageModel, type Task } from "../nn/model.ts";

/** A label as the user gave it: a text, a number or a boolean. */
export type LabelValue = string | number | boolean;

/** What a model is to do. */
export interface Purpose {
  readonly task: Task;
  /** the classes in the order of their ids; empty where the task has none */
  readonly labels: readonly LabelValue[];
}

/** Whether a task has classes with names of their own. */
export const hasClasses = (task: Task): boolean => task === "classification" || task === "token-classification";

/** Labels as files have them. */
export const namesOf = (labels: readonly LabelValue[]): readonly string[] => labels.map(String);

/** The given labels where there is one for every class, else LABEL_0, LABEL_1, … as transformers has them. */
export function labelsOf<T extends LabelValue>(
  count: number,
  given: readonly T[] | undefined,
): readonly (T | string)[] {
  return given?.length === count ? given : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
}

/**
 * What the rows of a data set are for: what is said, else what their labels stand for. The classes are those of the
 * base's own head, where it has one for the task that knows all labels of the data, else those of the data.
 */
export function findPurpose(
  base: HfModel,
  set: ExampleSet,
  said: { readonly task?: Task | undefined; readonly labels?: readonly LabelValue[] | undefined },
): Purpose & { readonly remarks: readonly string[] } {
  const { task, remarks } = said.task === undefined ? guessed(base, set) : { task: said.task, remarks: [] };
  if (!hasClasses(task)) return { task, labels: [], remarks };
  return { task, labels: said.labels ?? baseLabels(base, task, set) ?? learnLabels(set).names, remarks };
}

function guessed(base: HfModel, set: ExampleSet): { readonly task: Task; readonly remarks: readonly string[] } {
  const own = taskOf(base.config);
  if (own === "causal-lm" && !isLabelled(set))
    return { task: own, remarks: [`task: ${own}, since that is what the base is for and the rows have no labels`] };
  const { task, why } = guessTask(set);
  const ids = set.examples[0]?.kind === "tokens" && task === "token-classification";
  const found = ids && own !== undefined && isLanguageModel(own) ? own : task;
  return { task: found, remarks: [`task: ${found}, since ${why}`] };
}

function baseLabels({ config }: HfModel, task: Task, { examples }: ExampleSet): readonly string[] | undefined {
  if (taskOf(config) !== task) return undefined;
  const names = labelsOf(labelCount(config), config.id2label ? Object.values(config.id2label) : undefined);
  const { idOf } = labelMap(names);
  const known = examples.every((example) => {
    const labels =
      "labels" in example
        ? [...(example.labels ?? [])].filter((label) => label !== -100)
        : "label" in example
          ? [example.label]
          : [];
    return labels.every((label) => label !== undefined && idOf(label) !== undefined);
  });
  return known ? names : undefined;
}

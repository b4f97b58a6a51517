import type { HfModel } from "../checkpoints/hf-model.ts";
import { type ExampleSet, isLabelled, type Label } from "../data/rows/examples.ts";
import { distinctLabels, labelMap, labelNames } from "../data/rows/labels.ts";
import { guessTask } from "../data/rows/task.ts";
import { labelCount, taskOf } from "../models/models.ts";
import { objectiveOf, objectives, type Task } from "../objectives/objectives.ts";
import { isWithin } from "../peft/targets.ts";

/** What a model is to do. */
export interface Purpose<T extends Task = Task> {
  readonly task: T;
  /** the classes in the order of their ids, as the data have them; empty where the task has none */
  readonly labels: readonly Label[];
}

/** Labels as files have them. */
export const namesOf = (labels: readonly Label[]): readonly string[] => labels.map(String);

/**
 * What the rows of a data set are for: what is said, else what their labels stand for. The classes are those of the
 * base's own head, where it has one for the task that knows all labels of the data, else those of the data. They are
 * called as the data call them.
 */
export function findPurpose(
  base: HfModel,
  set: ExampleSet,
  said: { readonly task?: Task | undefined; readonly labels?: readonly Label[] | undefined },
): Purpose & { readonly remarks: readonly string[] } {
  const { task, remarks } = said.task === undefined ? guessed(base, set) : { task: said.task, remarks: [] };
  const objective = objectiveOf(task);
  if (!objective.hasClasses) return { task, labels: [], remarks };
  if (said.labels) return { task, labels: said.labels, remarks };
  const names = headNames(base, task);
  const own = names && ownLabels(names, set);
  const labels = own ?? objective.learn?.(set).labels ?? [];
  return { task, labels, remarks: names ? [...remarks, ...headRemarks(names, labels)] : remarks };
}

/** The base as a head for these labels begins with it: without its own head where that is for other classes. */
export function baseFor<B extends HfModel>(base: B, { task, labels }: Purpose): B {
  const { head, hasClasses } = objectiveOf(task);
  const names = hasClasses ? headNames(base, task) : undefined;
  if (!names || fits(names, labels)) return base;
  const modules = base.model.headModules[head] ?? [];
  const tensors = base.tensors && new Map([...base.tensors].filter(([name]) => !isWithin(modules, name)));
  return { ...base, tensors };
}

function guessed(base: HfModel, set: ExampleSet): { readonly task: Task; readonly remarks: readonly string[] } {
  const own = taskOf(base.config);
  if (own && objectiveOf(own).unlabelled === "next tokens" && !isLabelled(set))
    return { task: own, remarks: [`task: ${own}, since that is what the base is for and the rows have no labels`] };
  const { task, why } = guessTask(set);
  // a list of numbers may be classes of the tokens, words, or classes of the row
  const lists = set.examples.some((example) => example.kind === "tokens" && example.labels);
  const said =
    own ?? objectives.find(({ problemType }) => problemType && problemType === base.config.problem_type)?.name;
  const takes = said !== undefined && objectiveOf(said).targets(labelMap([])).forms.includes("list");
  const found = lists && takes ? said : task;
  return { task: found, remarks: [`task: ${found}, since ${why}`] };
}

/** The names of the classes of the base's own head; undefined where it has none for the task. */
function headNames({ config }: HfModel, task: Task): readonly string[] | undefined {
  if (taskOf(config) !== task) return undefined;
  return labelNames(labelCount(config), config.id2label ? Object.values(config.id2label) : undefined).map(String);
}

const isNamed = (names: readonly string[]) => names.some((name, id) => name !== `LABEL_${id}`);

/** The head's classes as the data call them; undefined where it lacks one. Classes that have no row keep their names. */
function ownLabels(names: readonly string[], set: ExampleSet): readonly Label[] | undefined {
  const { idOf } = labelMap(names);
  const found = distinctLabels(set).map((label) => [idOf(label), label] as const);
  if (found.some(([id]) => id === undefined)) return undefined;
  const numbered = found.some(([id, label]) => String(label) === String(id) && names[id ?? 0] !== String(label));
  return names.map((name, id) => {
    const same = found.flatMap(([known, label]) => (known === id ? [label] : []));
    if (same[0] !== undefined && same.length === 1) return same[0];
    return numbered ? (typeof found[0]?.[1] === "string" ? String(id) : id) : name;
  });
}

/** Whether a head's classes are these labels: by name or number, or in their order where the head names none. */
function fits(names: readonly string[], labels: readonly Label[]): boolean {
  if (names.length !== labels.length || !isNamed(names)) return true;
  const { idOf } = labelMap(names);
  return labels.every((label, id) => idOf(label) === id);
}

function headRemarks(names: readonly string[], labels: readonly Label[]): readonly string[] {
  const pairs = names.map((name, id) => `${labels[id]} is its ${name}`).slice(0, 10);
  if (!fits(names, labels))
    return [
      `the base's head tells ${names.slice(0, 10).join(", ")} apart, the data ${labels.slice(0, 10).join(", ")}; a new head begins`,
    ];
  const renamed = names.length === labels.length && names.some((name, id) => name !== String(labels[id]));
  const numbers = !isNamed(names) && labels.every((label, id) => String(label) === String(id));
  return renamed && !numbers ? [`the base's head is kept: ${pairs.join(", ")}`] : [];
}

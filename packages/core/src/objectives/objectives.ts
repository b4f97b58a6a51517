import { InputError, InternalError } from "../errors.ts";
import { type Head, heads, type Model } from "../nn/model.ts";
import { causalLm } from "./causal-lm.ts";
import { classification } from "./classification.ts";
import { maskedLm } from "./masked-lm.ts";
import { multiLabel } from "./multi-label.ts";
import type { Metric, Objective } from "./objective.ts";
import { regression } from "./regression.ts";
import { tokenClassification } from "./token-classification.ts";

/** Every objective: one file in objectives, one line here. Of those with one head the first is the usual one. */
const list = [classification, regression, multiLabel, tokenClassification, maskedLm, causalLm] as const;

/** What a model can be trained for, by its objective's name. */
export type Task = (typeof list)[number]["name"];

export const objectives: readonly Objective<Task>[] = list;
export const tasks: readonly Task[] = list.map(({ name }) => name);

/** What a base without a head is listed, planned and read as. */
export const headlessTask: Task = list[0].name;

/** Everything that objectives say of labelled rows besides the number of examples and the loss. */
export type Measures = Partial<Together<(typeof list)[number]>>;

type MeasuresOf<O> = O extends { measure(...labels: never): { result(...sums: never): infer M } } ? M : never;
type Together<O> = (O extends unknown ? (measures: MeasuresOf<O>) => void : never) extends (all: infer All) => void
  ? All
  : never;

export function objectiveOf(task: Task): Objective<Task, Measures> {
  const found = list.find(({ name }) => name === task);
  if (found) return found;
  throw new InternalError(`there is no objective "${task}"`);
}

/** The objectives whose head is this one, the usual first. */
export const objectivesFor = (head: Head): readonly Objective<Task>[] => list.filter((each) => each.head === head);

/** The objective of a head with so many labels, as config.json's problem_type says or, where it is silent, Hugging Face takes it. */
export function objectiveOfHead(head: Head, labels: number, problemType: string | null | undefined): Task {
  const known = objectivesFor(head);
  const said = known.find((each) => each.problemType !== undefined && each.problemType === problemType);
  const found = said ?? known.find((each) => each.impliedBy?.(labels)) ?? known[0];
  if (found) return found.name;
  throw new InternalError(`no objective has the head ${head}`);
}

/** Whether a task's answers are words of the vocabulary, one for each token. */
export const isLanguageModel = (task: Task): boolean => heads[objectiveOf(task).head].from === "vocabulary";

/** How many outputs the head has, of so many labels: one where there are no classes. */
export const outputsFor = (task: Task, labels: number): number => (objectiveOf(task).hasClasses ? labels : 1);

/** By what a model of a task can be chosen: its metrics and the loss. */
export const metricsOf = (task: Task): readonly Metric[] => [
  ...objectiveOf(task).metrics,
  { name: "loss", better: "lower" },
];

/** @throws InputError where the architecture has no head for the task */
export function requireTask({ modelType, classes }: Pick<Model, "modelType" | "classes">, task: Task): void {
  if (classes[objectiveOf(task).head] !== undefined) return;
  const known = list.filter(({ head }) => classes[head] !== undefined).map(({ name }) => name);
  throw new InputError(`${modelType} has no head for ${task}; its tasks: ${known.join(", ")}`);
}

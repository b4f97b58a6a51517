import type { ExampleSet } from "@petl/core";
import { adaptTo, type OpenModel, type Purpose, predict, train } from "@petl/core";
import { type BundledData, bundledData } from "../bundled/bundled-data.ts";
import type { OpenBase } from "../library/open-base.ts";
import { openData } from "../library/open-data.ts";
import type { Recipe } from "./recipes.ts";

/** A step of a training that is under way. */
export interface StepSeen {
  readonly kind: "step";
  readonly run: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
}

/** A bundled set as the tour uses it: the test rows are seen by no training. */
export interface DemoTask extends Purpose {
  readonly name: BundledData;
  readonly train: ExampleSet;
  readonly test: ExampleSet;
}

/** Opens a bundled set, with all rows of its training file. */
export async function openTask(name: BundledData, base: OpenBase): Promise<DemoTask> {
  const folder = bundledData(name);
  const { validation, ...data } = await openData(folder, base, { validation: `${folder}/test.csv` });
  return { ...data, name, test: validation };
}

interface FitOptions {
  readonly run: string;
  readonly seed?: number;
  /** one epoch: to see that it runs */
  readonly quick: boolean;
}

/** Passes over the rows: those of the recipe, but for a quick look. */
export const epochsOf = ({ epochs }: Recipe, quick: boolean): number => (quick ? 1 : epochs);

/** Adapts a base to a task by a recipe, and tells of the steps. */
export async function* fit(
  base: OpenBase,
  task: DemoTask,
  recipe: Recipe,
  { run, seed = 0, quick }: FitOptions,
): AsyncGenerator<StepSeen, OpenModel, void> {
  const { method, lr } = recipe;
  const model = await adaptTo(base, method, task, { seed });
  let steps = 0;
  const settings = { epochs: epochsOf(recipe, quick), batch: 16, lr, seed };
  for await (const event of train(model, { train: task.train }, settings)) {
    if (event.kind === "start") steps = event.steps;
    if (event.kind === "step") yield { kind: "step", run, step: event.step, steps, loss: event.loss };
  }
  return model;
}

/** Which of a task's test rows a model gets right. */
export async function rightAnswers(model: OpenModel, { test }: Pick<DemoTask, "test">): Promise<readonly boolean[]> {
  const answers = await predict(model, textsOf(test));
  return test.examples.map(
    (example, row) => "label" in example && String(example.label) === String(answers[row]?.label),
  );
}

/** The texts of a set, without their labels. */
export const textsOf = ({ examples }: Pick<ExampleSet, "examples">): readonly string[] =>
  examples.flatMap((example) => (example.kind === "text" ? [example.text] : []));

export const secondsSince = (begin: number) => (performance.now() - begin) / 1000;

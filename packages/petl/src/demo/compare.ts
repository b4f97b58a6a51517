import { join } from "node:path";
import { countParameters, type OpenModel, type Share, shareRight } from "@petl/core";
import type { OpenBase } from "../library/open-base.ts";
import { saveAdapter } from "../library/save.ts";
import type { OwnTask } from "./forgetting.ts";
import type { Recipe } from "./recipes.ts";
import { type DemoTask, epochsOf, fit, rightAnswers, type StepSeen, secondsSince } from "./training.ts";

/** One method on the first task. */
export interface MethodRow {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly lr: number;
  readonly epochs: number;
  /** |Φ| without the head, and over |Θ| */
  readonly trained_parameters: number;
  readonly trainable_ratio: number;
  readonly head_parameters: number;
  readonly accuracy: Share;
  /** of one training, the mean over seeds */
  readonly seconds: number;
  readonly adapter_bytes: number;
  /** the base's own loss with the trained body, the mean over seeds; null for a base without a masked-LM head */
  readonly masked_lm_loss: number | null;
}

/** A method has been trained with one more seed. */
export interface Trial {
  readonly kind: "trial";
  readonly method: string;
  readonly seed: number;
  readonly right: number;
  readonly of: number;
  readonly seconds: number;
}

interface CompareOptions {
  readonly recipes: readonly Recipe[];
  /** receives the first seed's adapters */
  readonly folder: string;
  readonly own: OwnTask | undefined;
  /** seconds within which another seed of all methods has to end */
  readonly budget: number;
  readonly quick: boolean;
}

/** Trains every method with the first seed, and then with further seeds as long as the time lasts. */
export async function* compareMethods(
  base: OpenBase,
  task: DemoTask,
  { recipes, budget, ...options }: CompareOptions,
): AsyncGenerator<StepSeen | Trial, readonly MethodRow[], void> {
  const begin = performance.now();
  const tried = recipes.map((recipe) => ({ recipe, results: [] as Result[] }));
  for (let seed = 0; seed === 0 || hasTime(secondsSince(begin), seed, budget); seed++) {
    for (const { recipe, results } of tried) {
      const result = yield* tryRecipe(base, task, recipe, { ...options, seed });
      results.push(result);
      const { right, seconds } = result;
      const { name: method } = recipe.method;
      yield { kind: "trial", method, seed, seconds, right: right.filter(Boolean).length, of: right.length };
    }
  }
  return tried.map(({ recipe, results }) => rowOf(recipe, results, options.quick));
}

/** Whether one more round ends in the time, if it takes as long as those before did. */
export const hasTime = (elapsed: number, rounds: number, budget: number): boolean =>
  (elapsed * (rounds + 1)) / rounds <= budget;

interface Result {
  readonly model: OpenModel;
  readonly right: readonly boolean[];
  readonly seconds: number;
  readonly loss: number | undefined;
  /** of the adapter, which the first seed alone saves */
  readonly bytes: number;
}

async function* tryRecipe(
  base: OpenBase,
  task: DemoTask,
  recipe: Recipe,
  { folder, own, quick, seed }: Omit<CompareOptions, "recipes" | "budget"> & { readonly seed: number },
): AsyncGenerator<StepSeen, Result, void> {
  const { name } = recipe.method;
  const begin = performance.now();
  const model = yield* fit(base, task, recipe, { run: `${name}, seed ${seed}`, seed, quick });
  const seconds = secondsSince(begin);
  return {
    model,
    seconds,
    right: await rightAnswers(model, task),
    loss: await own?.lossWith(model),
    bytes: seed === 0 ? await saveAdapter(model, join(folder, name)) : 0,
  };
}

function rowOf(recipe: Recipe, results: readonly Result[], quick: boolean): MethodRow {
  const { method, lr } = recipe;
  const [first] = results;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const losses = results.flatMap(({ loss }) => loss ?? []);
  const counts = first && countParameters(first.model.adapted);
  return {
    method: method.name,
    options: method.options,
    lr,
    epochs: epochsOf(recipe, quick),
    trained_parameters: counts?.trained_parameters ?? 0,
    trainable_ratio: counts?.trainable_ratio ?? 0,
    head_parameters: counts?.head_parameters ?? 0,
    accuracy: shareRight(results.map(({ right }) => right)),
    seconds: mean(results.map(({ seconds }) => seconds)),
    adapter_bytes: first?.bytes ?? 0,
    masked_lm_loss: losses.length === 0 ? null : mean(losses),
  };
}

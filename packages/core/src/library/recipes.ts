import { InputError, suggestion } from "../errors.ts";
import type { Sizes } from "../nn/model.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import type { MethodUse } from "../peft/method.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { choice } from "../settings/setting.ts";
import { grouped } from "../settings/settings.ts";
import type { TrainingInputs } from "../training/settings.ts";
import { type UsualLength, unnamed, usualLength } from "./standard-training.ts";

/** A method with the settings that go with it, under one name. */
interface Recipe {
  readonly name: string;
  readonly use: MethodUse;
  /** what it trains, in words */
  readonly said: string;
  /** how it trains such a base; whatever is named goes first */
  training(sizes: Sizes): TrainingInputs;
  /** how long it trains for so many labels */
  length(labels: number): UsualLength;
  readonly why: string;
}

/** Steps of the fast recipe, by the labels that are to be told apart. */
const stepsOf = (labels: number): number => Math.min(360, Math.max(180, 45 * labels));

/** Numbers of a stack whose packed copies, one for each direction, take a gigabyte. */
const muchToPack = 2 ** 27;
const isSmall = ({ layers, hidden }: Sizes): boolean => 12 * layers * hidden ** 2 <= muchToPack;

/** Every recipe: one entry each. */
const recipes = [
  {
    name: "fast",
    use: lora.use({ rank: 8, alpha: 16, targets: "all-linear" }),
    said: "LoRA on all linear layers",
    training: (sizes) => ({ lr: 2e-3, headLr: 5e-3, batch: 16, warmup: 0, ...(isSmall(sizes) && { prepack: true }) }),
    length: (labels) => ({ steps: stepsOf(labels), epochs: [1, 20] }),
    why: "small steps at a high rate in every layer learn in one or two epochs what slower settings learn in many",
  },
] as const satisfies readonly Recipe[];

const names = recipes.map(({ name }) => name);
export type RecipeName = (typeof recipes)[number]["name"];

/** A recipe in place of a method, or of settings that are not named. */
export const recipeSettings = grouped("How it is trained", {
  recipe: choice(names, undefined, "method and settings for a purpose, where they are not named", "none"),
});

function recipeNamed(name: string): Recipe {
  const found = recipes.find((recipe) => recipe.name === name);
  if (found) return found;
  throw new InputError(`there is no recipe "${name}"${suggestion(name, names)}; recipes: ${names.join(", ")}`);
}

/**
 * The method that a recipe puts on a base.
 * @throws InputError for a name that no recipe has
 */
export const recipeMethod = (recipe: RecipeName): MethodUse => recipeNamed(recipe).use;

/** The settings of a recipe that nothing was said of, and why they are these, in words. */
export function recipeTraining(
  name: RecipeName,
  { methods, base, goal, newTensors }: Pick<AdaptedModel, "methods" | "base" | "goal" | "newTensors">,
  rows: number,
  given: TrainingInputs,
): { readonly settings: TrainingInputs; readonly remarks: readonly string[] } {
  const { use, said, training, length, why } = recipeNamed(name);
  const { headLr, ...how } = training(base.model.sizes);
  const others = { ...usualLength(length(goal.labels), rows, { ...how, ...given }), ...how };
  const settings = unnamed({ ...others, ...(newTensors.length > 0 && { headLr }) }, given);
  const isOwn = methods.length === 1 && JSON.stringify(methods[0]?.options) === JSON.stringify(use.options);
  const chosen = Object.entries(settings).map(([setting, value]) => `${setting} ${value}`);
  const parts = [...(isOwn ? [said] : []), ...chosen].join(", ");
  return { settings, remarks: [`recipe ${name}: ${parts}${isOwn ? `; ${why}` : ""}`] };
}

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
  /** what it trains of a base of these sizes, and that in words */
  method(sizes: Sizes): { readonly use: MethodUse; readonly said: string };
  /** how it trains; whatever is named goes first */
  readonly training: TrainingInputs;
  readonly length: UsualLength;
  readonly why: string;
}

/** The layers that the fast recipe trains: a third of the stack, where adapters matter most. */
const topLayersOf = ({ layers }: Sizes): number => Math.ceil(layers / 3);

/** Every recipe: one entry each. */
const recipes = [
  {
    name: "fast",
    method: (sizes) => ({
      use: lora.use({ rank: 8, alpha: 16, layers: { end: "top", count: topLayersOf(sizes) }, targets: "all-linear" }),
      said: `LoRA on all linear layers of the top ${topLayersOf(sizes)} of ${sizes.layers} layers`,
    }),
    training: { lr: 2e-3, headLr: 5e-3 },
    length: { steps: 200, epochs: [4, 20] },
    why: "what lies below never changes, so it is computed in the first epoch and kept (`cache`); later ones cost a fraction",
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
export const recipeMethod = (recipe: RecipeName, { model }: { readonly model: { readonly sizes: Sizes } }): MethodUse =>
  recipeNamed(recipe).method(model.sizes).use;

/** The settings of a recipe that nothing was said of, and why they are these, in words. */
export function recipeTraining(
  name: RecipeName,
  { methods, base, newTensors }: Pick<AdaptedModel, "methods" | "base" | "newTensors">,
  rows: number,
  given: TrainingInputs,
): { readonly settings: TrainingInputs; readonly remarks: readonly string[] } {
  const { method, training, length, why } = recipeNamed(name);
  const { use, said } = method(base.model.sizes);
  const { headLr, ...others } = { ...training, ...usualLength(length, rows, given) };
  const settings = unnamed({ ...others, ...(newTensors.length > 0 && { headLr }) }, given);
  const isOwn = methods.length === 1 && JSON.stringify(methods[0]?.options) === JSON.stringify(use.options);
  const chosen = Object.entries(settings).map(([setting, value]) => `${setting} ${value}`);
  const parts = [...(isOwn ? [said] : []), ...chosen].join(", ");
  return { settings, remarks: [`recipe ${name}: ${parts}${isOwn ? `; ${why}` : ""}`] };
}

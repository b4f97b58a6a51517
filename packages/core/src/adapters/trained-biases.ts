import { isBias } from "../nn/scope.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { isWithin } from "../peft/targets.ts";

/** Which of the base's biases PEFT trains together with an adapter: none, all, or those of the adapted layers. */
export type Bias = "none" | "all" | "adapted";

/** The names of a model's biases, but those of heads that are trained whole; there may be none. */
export function biasesOf(adapted: Pick<AdaptedModel, "modelTensors" | "targets" | "headModules">, bias: Bias) {
  const { modelTensors, targets, headModules } = adapted;
  const all = modelTensors
    .filter(({ name, role }) => isBias(role) && !isWithin(headModules, name))
    .map(({ name }) => name);
  switch (bias) {
    case "none":
      return [];
    case "all":
      return all;
    case "adapted":
      return targets.map((path) => `${path}.bias`).filter((name) => all.includes(name));
  }
}

/** Which biases an adapter trains; undefined where there is no word for all that it trains of the base. */
export function biasOf(adapted: AdaptedModel): Bias | undefined {
  const { layout, headModules } = adapted;
  const saving = adapted.methods.filter((use) => use.peftConfig).map(({ name }) => name);
  const isSaved = (method: string | undefined) => method !== undefined && saving.includes(method);
  const trained = layout
    .filter(({ part, name, method }) => part !== "adapter" && !isWithin(headModules, name) && !isSaved(method))
    .map(({ name }) => name);
  if (trained.length === 0) return "none";
  return (["all", "adapted"] as const).find((bias) => sameNames(trained, biasesOf(adapted, bias)));
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean => {
  const [one, other] = [new Set(a), new Set(b)];
  return one.size === other.size && [...one].every((name) => other.has(name));
};

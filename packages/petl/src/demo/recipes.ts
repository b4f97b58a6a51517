import type { MethodUse } from "@petl/core";
import { bitfit, bottleneck, full, head, lora, topLayers } from "../library/methods.ts";

/** A method with its options and a learning rate, chosen by hand on the demo's own task. */
export interface Recipe {
  readonly name: string;
  readonly method: MethodUse;
  readonly lr: number;
}

const recipe = (method: MethodUse, lr: number): Recipe => ({ name: method.name, method, lr });

/** What the demo compares, from the fewest trained numbers to the most. */
export const recipes: readonly Recipe[] = [
  recipe(head(), 2e-2),
  recipe(bitfit(), 1e-2),
  recipe(bottleneck({ size: 16 }), 5e-3),
  recipe(lora({ rank: 8, targets: "all-linear" }), 5e-3),
  recipe(topLayers({ count: 1 }), 1e-3),
  recipe(full(), 5e-4),
];

/** What is trained once more on the base as it was before its own training, to see what that training was good for. */
export const controls: readonly Recipe[] = recipes.filter(({ name }) => name === "head" || name === "full");

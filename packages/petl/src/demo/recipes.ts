import type { MethodUse } from "@petl/core";
import { bitfit, bottleneck, full, head, lora, topLayers } from "@petl/core";

/** A method with its options, learning rate and length, chosen by hand on validation rows of the bundled sets. */
export interface Recipe {
  readonly method: MethodUse;
  readonly lr: number;
  readonly epochs: number;
}

/** LoRA, which the tour goes on with after the comparison. */
export const loraRecipe: Recipe = { method: lora({ rank: 8, targets: "all-linear" }), lr: 1e-3, epochs: 6 };

/** The same for users, who have few rows: more epochs, so that the steps are about as many. */
export const userRecipe: Recipe = { ...loraRecipe, epochs: 15 };

/** What the demo compares, from the fewest trained numbers to the most. */
export const recipes: readonly Recipe[] = [
  { method: head(), lr: 1e-2, epochs: 10 },
  { method: bitfit(), lr: 1e-2, epochs: 6 },
  { method: bottleneck({ size: 16 }), lr: 2e-3, epochs: 6 },
  loraRecipe,
  { method: topLayers({ count: 1 }), lr: 5e-4, epochs: 6 },
  { method: full(), lr: 2e-4, epochs: 4 },
];

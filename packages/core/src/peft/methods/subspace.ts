import { choice, count } from "../../settings/setting.ts";
import { defineMethod } from "../method.ts";

/**
 * Fine-tuning in a random subspace: every tensor of the base moves, but only along a few random directions. Its dimension is
 * what is trained: θ = θ₀ + P z (did), or θᵢ = θ₀ᵢ + λᵢ (P z)ᵢ with a scale for each layer (said), P never written down.
 * What is saved is θ.
 */
export const subspace = defineMethod({
  name: "subspace",
  summary: "moves the whole base along a few random directions: how many a task needs is its intrinsic dimension",
  source: "Aghajanyan et al. 2020, arXiv:2012.13255, section 3",
  start: "base",
  rate: 2e-3,
  alone: "a matrix of the base of each row's own would be as large as the base",
  options: {
    dimension: count(1000, "how many numbers are trained, the scales of layers among them"),
    structure: choice(["said", "did"], "said", "whether each layer has a scale of its own"),
  },
  trains: ({ head }) => !head,
  subspace: ({ dimension, structure }) => ({ dimension, layerwise: structure === "said" }),
});

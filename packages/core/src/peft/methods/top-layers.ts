import { count } from "../../settings/setting.ts";
import { defineMethod } from "../method.ts";
import { isChosen } from "../targets.ts";

/** Fine-tuning of the top K layers of the stack; embeddings, the layers below and the pooler stay frozen. */
export const topLayers = defineMethod({
  name: "top-layers",
  summary: "fine-tunes the top K layers of the stack",
  source: "Houlsby et al. 2019, arXiv:1902.00751, section 3.4",
  start: "base",
  rate: 1e-4,
  alone: "a matrix of the base of each row's own would be as large as the base",
  size: { option: "count", limit: "layers" },
  options: { count: count(1, "how many layers, counted from the top") },
  trains: ({ layer, layers }, { count: most }) => isChosen(layer, { end: "top", count: most }, layers),
});

import { defineMethod } from "../method.ts";

/** Feature-based transfer: the base stays as it is and only the head on top of it is trained. */
export const head = defineMethod({
  name: "head",
  summary: "trains only the task's head on the frozen base's features",
  source: "Houlsby et al. 2019, arXiv:1902.00751, section 1",
  start: "base",
  rate: 5e-3,
  options: {},
  trains: ({ head: isHead }) => isHead,
});

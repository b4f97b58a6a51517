import { defineMethod } from "../method.ts";

/** Full fine-tuning: every tensor of the base is trained, Φ = Θ. */
export const full = defineMethod({
  name: "full",
  summary: "trains every parameter of the base: the measure of the others",
  source: "Devlin et al. 2018, arXiv:1810.04805, section 3.2",
  start: "base",
  rate: 5e-5,
  alone: "a matrix of the base of each row's own would be as large as the base",
  options: {},
  trains: () => true,
});

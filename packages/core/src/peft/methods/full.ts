import { defineMethod } from "../method.ts";

/** Full fine-tuning: every tensor of the base is trained, Φ = Θ. */
export const full = defineMethod({
  name: "full",
  summary: "trains every parameter of the base: the measure of the others",
  source: "Devlin et al. 2018, arXiv:1810.04805, section 3.2",
  start: "base",
  rate: 5e-5,
  options: {},
  trains: () => true,
});

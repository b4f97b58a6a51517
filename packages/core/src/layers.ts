/**
 * Which folder may import which: each may import the named ones and all that those may import; errors.ts is open to all.
 * models and peft are strangers; so are runtime and nn.
 */
export const layers = {
  tensor: [],
  graph: ["tensor"],
  autodiff: ["graph"],
  onnx: ["graph"],
  runtime: ["onnx"],
  nn: ["graph"],
  models: ["nn"],
  peft: ["nn"],
  formats: ["models", "peft", "runtime"], // to write a merged checkpoint is to compute it
  data: ["tensor"],
  scoring: [],
  generation: ["peft", "runtime", "data"],
  training: ["peft", "autodiff", "runtime", "data"],
} as const;

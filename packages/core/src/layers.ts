/**
 * Which room may import which: each may import the named ones and all that those may import; errors.ts and
 * values.ts are open to all.
 * models and peft are strangers; so are runtime and nn.
 */
export const layers = {
  settings: [],
  tensor: [],
  graph: ["tensor"],
  autodiff: ["graph"],
  onnx: ["graph"],
  runtime: ["onnx"],
  nn: ["graph"],
  objectives: ["nn", "data/batches"],
  models: ["objectives"],
  patterns: [],
  peft: ["objectives", "patterns", "settings"],
  containers: ["tensor"],
  checkpoints: ["containers", "models", "peft"],
  adapters: ["checkpoints"],
  exports: ["adapters", "runtime"], // to write a merged checkpoint is to compute it
  "data/tables": ["containers"],
  "data/tokenizer": ["patterns"],
  "data/rows": ["data/tables", "data/tokenizer", "tensor"],
  "data/batches": ["data/rows"],
  scoring: [],
  generation: ["peft", "runtime", "data/rows"],
  training: ["peft", "autodiff", "runtime", "data/batches"],
  library: ["training", "generation", "scoring", "adapters", "statistics"],
  planning: ["exports", "training"],
  statistics: ["tensor"],
  figures: [],
  studies: ["training", "statistics", "figures"],
} as const;

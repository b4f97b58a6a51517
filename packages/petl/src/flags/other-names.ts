import { suggestion } from "@petl/core";

/** What flags of other tools are called here. */
const flags: Readonly<Record<string, string>> = {
  "learning-rate": "lr",
  lrate: "lr",
  "lr-scheduler-type": "schedule",
  "lr-scheduler": "schedule",
  r: "rank",
  "lora-r": "rank",
  "lora-rank": "rank",
  "lora-alpha": "alpha",
  "lora-dropout": "dropout",
  "target-modules": "targets",
  "lora-target-modules": "targets",
  "lora-target": "targets",
  "max-seq-length": "max-length",
  "max-seq-len": "max-length",
  "max-len": "max-length",
  "cutoff-len": "max-length",
  "sequence-length": "max-length",
  "max-source-length": "max-length",
  "max-new-tokens": "max-tokens",
  "num-train-epochs": "epochs",
  "num-epochs": "epochs",
  epoch: "epochs",
  "max-steps": "steps",
  "batch-size": "batch",
  "per-device-train-batch-size": "batch",
  "train-batch-size": "batch",
  "per-device-eval-batch-size": "batch",
  "micro-batch-size": "batch",
  "eval-batch-size": "batch",
  "gradient-accumulation-steps": "accumulate",
  "grad-accum": "accumulate",
  "accumulation-steps": "accumulate",
  "warmup-steps": "warmup",
  "warmup-ratio": "warmup",
  "max-grad-norm": "clip",
  "grad-clip": "clip",
  "adam-beta1": "beta1",
  "adam-beta2": "beta2",
  "adam-epsilon": "epsilon",
  optim: "optimizer",
  wd: "weight-decay",
  "label-smoothing-factor": "label-smoothing",
  "random-seed": "seed",
  "peft-type": "method",
  "peft-method": "method",
  model: "base",
  "model-name-or-path": "base",
  "model-name": "base",
  "base-model": "base",
  "model-path": "base",
  "train-file": "data",
  "train-data": "data",
  dataset: "data",
  "dataset-name": "data",
  "data-path": "data",
  "validation-file": "validation",
  "eval-data": "validation",
  "eval-file": "validation",
  "test-size": "validation",
  "output-dir": "out",
  output: "out",
  o: "out",
  "save-dir": "out",
  "adapter-path": "adapter",
  lora: "adapter",
  "eval-steps": "evaluate-every",
  "save-steps": "checkpoint-every",
  "logging-steps": "log-every",
  "early-stopping-patience": "early-stop",
  patience: "early-stop",
  "resume-from-checkpoint": "resume",
  "text-column-name": "text",
  "text-field": "text",
  "label-column-name": "label",
  "loraplus-lr-ratio": "lora-plus",
};

/** What methods are called elsewhere. */
const methods: Readonly<Record<string, string>> = {
  "prefix-tuning": "prefix",
  "p-tuning-v2": "prefix",
  "prompt-tuning": "prompt",
  "soft-prompt": "prompt",
  adapter: "bottleneck",
  adapters: "bottleneck",
  houlsby: "bottleneck",
  pfeiffer: "bottleneck",
  "full-fine-tuning": "full",
  "full-finetuning": "full",
  finetune: "full",
  "linear-probe": "head",
  qlora: "lora",
  "last-layer": "head",
  "adaption-prompt": "llama-adapter",
  "bias-only": "bitfit",
};

/** `; did you mean "lr"?`: the flag that another tool's name stands for, else the nearest of those that there are. */
export const flagSuggestion = (given: string, allowed: readonly string[]): string =>
  meant(flagKnownAs(given), given, allowed);

/** What a flag of another tool is called here; undefined for names of no tool that is known. */
export const flagKnownAs = (given: string): string | undefined => flags[given.replaceAll("_", "-").toLowerCase()];

/** The same of methods. */
export const methodSuggestion = (given: string, allowed: readonly string[]): string =>
  meant(methods[given.replaceAll("_", "-").toLowerCase()], given, allowed);

const meant = (known: string | undefined, given: string, allowed: readonly string[]): string =>
  known !== undefined && allowed.includes(known) ? `; did you mean "${known}"?` : suggestion(given, allowed);

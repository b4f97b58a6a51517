import type { Verb } from "./verb.ts";

/** A verb's name, and its file, which is loaded once it is asked for. */
interface ListedVerb {
  readonly name: string;
  load(): Promise<Verb>;
}

/** Every verb: one file in cli, one line here. */
export const verbs: readonly ListedVerb[] = [
  { name: "demo", load: async () => (await import("./demo.ts")).demoVerb },
  { name: "train", load: async () => (await import("./train.ts")).trainVerb },
  { name: "train-many", load: async () => (await import("./train-many.ts")).trainManyVerb },
  { name: "pretrain", load: async () => (await import("./pretrain.ts")).pretrainVerb },
  { name: "evaluate", load: async () => (await import("./evaluate.ts")).evaluateVerb },
  { name: "predict", load: async () => (await import("./predict.ts")).predictVerb },
  { name: "generate", load: async () => (await import("./generate.ts")).generateVerb },
  { name: "chat", load: async () => (await import("./chat.ts")).chatVerb },
  { name: "embed", load: async () => (await import("./embed.ts")).embedVerb },
  { name: "logits", load: async () => (await import("./logits.ts")).logitsVerb },
  { name: "inspect", load: async () => (await import("./inspect.ts")).inspectVerb },
  { name: "plan", load: async () => (await import("./plan.ts")).planVerb },
  { name: "merge", load: async () => (await import("./merge.ts")).mergeVerb },
  { name: "convert", load: async () => (await import("./convert.ts")).convertVerb },
  { name: "quantize", load: async () => (await import("./quantize.ts")).quantizeVerb },
  { name: "serve", load: async () => (await import("./serve.ts")).serveVerb },
  { name: "worker", load: async () => (await import("./worker.ts")).workerVerb },
  { name: "study", load: async () => (await import("./study.ts")).studyVerb },
  { name: "methods", load: async () => (await import("./methods.ts")).methodsVerb },
  { name: "studies", load: async () => (await import("./studies.ts")).studiesVerb },
  { name: "bases", load: async () => (await import("./bases.ts")).basesVerb },
  { name: "completions", load: async () => (await import("./completions.ts")).completionsVerb },
];

import { InputError, suggestion } from "../errors.ts";
import { headNames, type Model } from "../nn/model.ts";
import { objectiveOfHead, type Task } from "../objectives/objectives.ts";
import type { Architecture } from "./architecture.ts";
import { bert } from "./bert.ts";
import { distilbert } from "./distilbert.ts";
import { gemma2 } from "./gemma2.ts";
import { gemma3 } from "./gemma3.ts";
import { gpt2 } from "./gpt2.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { roberta } from "./roberta.ts";

/** Every architecture that petl can load: one file in models, one line here. */
export const architectures: readonly Architecture[] = [
  bert,
  distilbert,
  gemma2,
  gemma3,
  gpt2,
  llama,
  mistral,
  phi3,
  qwen2,
  qwen3,
  roberta,
];

/** What config.json says that is needed to choose an architecture. */
export interface ModelConfig {
  readonly model_type?: string | undefined;
  readonly architectures?: readonly string[] | null | undefined;
  readonly num_labels?: number | undefined;
  readonly id2label?: Readonly<Record<string, string>> | null | undefined;
  readonly problem_type?: string | null | undefined;
}

/** The model that a config.json describes; throws for a kind that petl does not know. */
export function modelOf(config: ModelConfig): Model {
  const names = architectures.map(({ modelType }) => modelType);
  const known = architectures.find(({ modelType }) => modelType === config.model_type);
  if (known) return known.model(config);
  const { model_type: type = "" } = config;
  const given =
    type === "" ? "config.json has no model_type" : `config.json: model_type ${quoted(type)} is not supported`;
  const part = names.find((name) => type !== "" && name.startsWith(`${type}_`));
  const hint =
    part === undefined ? suggestion(type.slice(0, 100), names) : `; petl loads its part for text alone, "${part}"`;
  throw new InputError(`${given}${hint}; petl loads ${names.join(", ")}`);
}

const quoted = (name: string): string => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);

/** The task of the head that the checkpoint was saved with; undefined for a bare base. */
export function taskOf(config: ModelConfig): Task | undefined {
  const classes = architectures.find(({ modelType }) => modelType === config.model_type)?.classes;
  const head = headNames.find((name) => config.architectures?.some((known) => known === classes?.[name]));
  return head && objectiveOfHead(head, labelCount(config), config.problem_type);
}

/** The number of labels of the checkpoint's head; Hugging Face leaves the default 2 unwritten. */
export function labelCount({ num_labels, id2label }: ModelConfig): number {
  return id2label ? Object.keys(id2label).length : (num_labels ?? 2);
}

import { z } from "zod";
import { InputError } from "../../../errors.ts";
import { modelOf } from "../../../models/models.ts";
import { headNames, heads } from "../../../nn/model.ts";
import { objectivesFor, type Task } from "../../../objectives/objectives.ts";
import { type ForeignTensor, renamed } from "../foreign-format.ts";
import type { HubFiles } from "./adapterhub-files.ts";

const fields = z.looseObject({
  config: z
    .looseObject({ head_type: z.string(), layers: z.int(), activation_function: z.string().nullish() })
    .nullish(),
  label2id: z.record(z.string(), z.int().nonnegative()).nullish(),
});

/** A head under Hugging Face's names. */
interface HubHead {
  readonly task: Task | undefined;
  readonly tensors: readonly ForeignTensor[];
  readonly labelNames: readonly string[] | undefined;
  /** modules of the base that the head has its own of */
  readonly savedModules: readonly string[];
}

/**
 * The head beside an adapter. Of Hugging Face's own classes the library saves the modules under their names. Its classes
 * with exchangeable heads (`…AdapterModel`) have dropout, linear, tanh, dropout, linear on the first token, which is what
 * RoBERTa's classifier computes, and BERT's pooler and classifier together.
 */
export function readHead(files: HubFiles, place: string): HubHead {
  const { head, headConfig, model_type: modelType, model_class: ownClass } = files;
  const model = modelOf({ model_type: modelType });
  const kind = headNames.find((name) => model.classes[name] === ownClass);
  const task = kind && objectivesFor(kind)[0]?.name;
  const parsed = fields.safeParse(headConfig ?? {});
  if (!parsed.success) throw new InputError(`${place}/head_config.json: is not AdapterHub's`);
  const { config, label2id } = parsed.data;
  const names = Object.entries(label2id ?? {}).sort(([, a], [, b]) => a - b);
  const labelNames = names.length > 0 ? names.map(([name]) => name) : undefined;
  const none = { task, tensors: [], labelNames: undefined, savedModules: [] };
  // a language model's output layer is the base's own
  if (head.size === 0 || (kind && heads[kind].from === "vocabulary")) return none;
  const plain = (name: string) => name;
  if (!config) return { task, tensors: named(files, plain), labelNames, savedModules: [] };
  const modules = exchangeable.get(modelType);
  if (
    config.head_type !== "classification" ||
    config.layers !== 2 ||
    config.activation_function !== "tanh" ||
    !modules
  ) {
    throw new InputError(
      `${place}: its head (${config.head_type}, ${config.layers} layers) is none that Hugging Face's class for ${modelType} has; ` +
        "convert the adapter alone, without the head's files",
    );
  }
  const tensors = named(files, (name) =>
    name.replace(/^heads\..*\.1\./, `${modules.first}.`).replace(/^heads\..*\.4\./, `${modules.second}.`),
  );
  return { task: "classification", tensors, labelNames, savedModules: modelType === "bert" ? [modules.first] : [] };
}

const exchangeable: ReadonlyMap<string, { readonly first: string; readonly second: string }> = new Map([
  ["bert", { first: "bert.pooler.dense", second: "classifier" }],
  ["roberta", { first: "classifier.dense", second: "classifier.out_proj" }],
]);

const named = ({ head }: HubFiles, rename: (name: string) => string): readonly ForeignTensor[] =>
  [...head].map(([name, { source, stored }]) => renamed(source, stored, rename(name)));

import { z } from "zod";
import { problemList } from "../containers/problem-list.ts";
import { InputError, schemaProblems } from "../errors.ts";
import type { MethodUse } from "../peft/method.ts";
import { methods, peftTypeOf } from "../peft/methods.ts";
import type { Bias } from "./trained-biases.ts";
import { unknownFields } from "./unknown-fields.ts";

type Json = Readonly<Record<string, unknown>>;

/** What an adapter_config.json of Hugging Face's PEFT says. */
export interface PeftConfig {
  readonly method: MethodUse;
  readonly bias: Bias;
  readonly baseName: string | undefined;
  readonly taskType: TaskType | undefined;
  /** Hugging Face's class of the model that was adapted, where the adapter says no task type */
  readonly baseClass: string | undefined;
  /** ends of the names of modules that were trained whole */
  readonly modulesToSave: readonly string[];
  /** what it switches on that petl does not know and passes over, in words */
  readonly remarks: readonly string[];
  readonly json: Json;
}

const taskTypes = ["SEQ_CLS", "TOKEN_CLS", "CAUSAL_LM", "FEATURE_EXTRACTION"] as const;
type TaskType = (typeof taskTypes)[number];

const strings = z.array(z.string().max(10_000)).max(10_000);
const fields = z.looseObject({
  peft_type: z.string().max(100),
  base_model_name_or_path: z.string().max(10_000).nullish(),
  task_type: z.string().max(100).nullish(),
  auto_mapping: z.looseObject({ base_model_class: z.string().max(1000).nullish() }).nullish(),
  bias: z.enum(["none", "all", ...methods.flatMap(({ peft }) => peft?.adaptedBiases ?? [])]).nullish(),
  modules_to_save: strings.nullish(),
  target_modules: z.union([z.string().max(10_000), strings]).nullish(),
  rank_pattern: z.record(z.string(), z.union([z.int().positive(), z.array(z.boolean())])).nullish(),
  layers_pattern: z.union([z.string(), strings]).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string().max(100)]).nullish(),
});

/** Throws one InputError with everything that petl cannot read, or that would be computed differently. */
export function readPeftConfig(json: Json, place: string): PeftConfig {
  const problems = problemList(place);
  const parsed = fields.safeParse(json);
  if (!parsed.success) {
    for (const problem of schemaProblems(parsed.error.issues)) problems.add(problem);
    problems.refuse();
    throw new InputError(`${place}: is no adapter_config.json`);
  }
  const config = parsed.data;
  const known = methods.flatMap(({ peft }) => peft?.type ?? []);
  if (!known.includes(config.peft_type)) {
    const types = [...new Set(known)];
    problems.add(`peft_type "${config.peft_type}" is not supported; petl reads ${types.join(", ")}`);
  }
  const taskType = taskTypes.find((name) => name === config.task_type);
  if (config.task_type && !taskType) {
    problems.add(`task_type "${config.task_type}" is not supported; petl reads ${taskTypes.join(", ")} and none`);
  }
  for (const problem of differences(config, config.peft_type)) problems.add(problem);
  problems.refuse();
  const method = firstOf(methods, (each) => each.fromPeft(json));
  if (!method) throw new InputError(`${place}: no method of petl's reads peft_type "${config.peft_type}"`);
  return {
    method,
    bias: biasOf(config),
    baseName: config.base_model_name_or_path ?? undefined,
    taskType,
    baseClass: config.auto_mapping?.base_model_class ?? undefined,
    modulesToSave: config.modules_to_save ?? [],
    remarks: unknownFields(json, [...common, ...fieldsOf(config.peft_type)], place),
    json,
  };
}

/** What PEFT 0.21 writes for every type; it says nothing of what is computed but `modules_to_save`, which is read. */
const common = [
  ...["peft_type", "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision"],
  ...["inference_mode", "modules_to_save"],
];

const fieldsOf = (type: string): readonly string[] =>
  methods.flatMap(({ peft }) => (peft?.type === type ? peft.fields : []));

/** Settings under which PEFT computes what petl's methods do not. */
function* differences(config: z.infer<typeof fields>, type: string): Generator<string> {
  const init = config.init_lora_weights;
  if (typeof init === "string" && !keepsBase.includes(init)) {
    yield `init_lora_weights is "${init}", which changes the base's own weights, so that A and B alone are no adapter of it; ` +
      `convert it in Python: model.save_pretrained("<folder>", path_initial_model_for_weight_conversion="<initial adapter>")`;
  }
  const pattern = typeof config.layers_pattern === "string" ? [config.layers_pattern] : (config.layers_pattern ?? []);
  const other = pattern.filter((name) => name !== "" && !layerLists.includes(name));
  if (other.length > 0) {
    yield `layers_pattern ${JSON.stringify(other)} is not supported; petl counts the layers of ${layerLists.join(", ")}`;
  }
  if (!peftTypeOf(type)?.excludes && !isEmpty(config.exclude_modules)) {
    yield `exclude_modules is not supported for peft_type ${type}; name the layers in target_modules instead`;
  }
  const only = peftTypeOf(type)?.adaptedBiases;
  if (biasOf(config) !== "none" && only === undefined) yield `bias is not supported for peft_type ${type}`;
  if (biasOf(config) === "adapted" && only !== undefined && config.bias !== only) {
    yield `bias is "${config.bias}"; peft_type ${type} has none, all and ${only}`;
  }
}

const biasOf = ({ bias }: z.infer<typeof fields>): Bias =>
  bias === "none" || bias === "all" ? bias : bias ? "adapted" : "none";

/** Starts of A and B from which the base is the same as before; see LoraConfig of PEFT 0.21. */
const keepsBase = ["gaussian", "eva", "orthogonal", "mica"];

/** The lists of blocks in Hugging Face's models, whose index is the layer. */
const layerLists = ["layer", "layers", "h"];

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

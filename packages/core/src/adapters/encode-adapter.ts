import { safetensorsBytes, safetensorsSize } from "../containers/safetensors-writer.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { methods, peftTypeOf } from "../peft/methods.ts";
import { trainedTensors } from "../peft/phi.ts";
import { settle, settledForm } from "../peft/settle.ts";
import type { OwnBytes } from "../tensor/own-memory.ts";
import { peftKey } from "./adapter-tensors.ts";
import { type AdapterInfo, writePetlFields } from "./petl-fields.ts";
import { biasOf } from "./trained-biases.ts";

/** The two files of an adapter. */
export interface EncodedAdapter {
  readonly "adapter_config.json": string;
  readonly "adapter_model.safetensors": OwnBytes;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * An adapter's files. Where Hugging Face's PEFT can compute the adapted model, they are in its layout, so that Python's
 * `PeftModel.from_pretrained` reads them; otherwise `"peft_type"` is null, `"petl_method"` names the method or the
 * methods, and the tensors have Hugging Face's parameter names. Full fine-tuning has a layout of its own, an ordinary
 * checkpoint: see encodeFull.
 */
export function encodeAdapter(trained: AdapterNumbers, info: AdapterInfo): EncodedAdapter {
  const { adapted, phi } = settle(trained);
  const { config, metadata, keyOf } = fileLayout(adapted, info);
  const tensors = Object.entries({ ...trainedTensors(phi), ...phi.projections });
  const keyed = tensors.map(([name, tensor]) => [keyOf(name), tensor] as const);
  return { "adapter_config.json": jsonText(config), "adapter_model.safetensors": safetensorsBytes(keyed, metadata) };
}

/** How many bytes adapter_model.safetensors will have; where training decides what is kept, all of it is. */
export function adapterSize(model: AdaptedModel, info: AdapterInfo): number {
  const adapted = settledForm(model);
  const { metadata, keyOf } = fileLayout(adapted, info);
  const tensors = [...adapted.layout, ...adapted.projections];
  return safetensorsSize(
    tensors.map(({ name, shape }) => ({ name: keyOf(name), dtype: "float32", shape })),
    metadata,
  );
}

/** Whether an adapter's files are in PEFT's layout. */
export const isReadByPeft = (trained: AdaptedModel): boolean => peftFields(settledForm(trained)) !== undefined;

/** What stands in the files beside the numbers. */
interface FileLayout {
  readonly config: Json;
  /** undefined: what every safetensors file has */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** the key of a tensor of Φ */
  keyOf(name: string): string;
}

function fileLayout(adapted: AdaptedModel, info: AdapterInfo): FileLayout {
  const fields = writePetlFields(adapted, info);
  const named = { base_model_name_or_path: info.baseName };
  const peft = peftFields(adapted);
  if (!peft) return { config: { peft_type: null, ...named, ...fields }, metadata: undefined, keyOf: (name) => name };
  const naming = {
    prompt: "num_virtual_tokens" in peft,
    wrapped: new Set(adapted.targets),
    inside: insideOf(adapted, peft),
  };
  return {
    config: { ...peft, ...named, inference_mode: true },
    metadata: { format: "pt", petl: JSON.stringify({ ...fields, petl_written: peft }) },
    keyOf: (name) => peftKey(name, naming),
  };
}

/** Keys sorted, as PEFT does; the fields' own keys keep their order, which decides which of two patterns wins. */
const jsonText = (fields: Json): string =>
  `${JSON.stringify(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))), null, 2)}\n`;

/** The base's tensors that PEFT keeps in a module of their own, with the module's name. */
const insideOf = ({ layout }: AdaptedModel, { peft_type: type }: Json): ReadonlyMap<string, string> => {
  const inside = peftTypeOf(type)?.inside;
  const own = layout.filter(({ part, method }) => part === "base" && method !== undefined);
  return new Map(inside === undefined ? [] : own.map(({ name }) => [name, inside]));
};

/** The fields with which PEFT computes the same; undefined where it cannot. */
function peftFields(adapted: AdaptedModel): Json | undefined {
  const { goal, base, headModules } = adapted;
  const [use, ...others] = adapted.methods.filter(({ name }) => name !== "bitfit");
  const config = others.length === 0 ? use?.peftConfig?.(base.model) : undefined;
  const bias = biasOf(adapted);
  const usual = goal.pooling === undefined || goal.pooling === "default";
  if (!config || bias === undefined || !usual) return undefined;
  const { adaptedBiases: only, headless = false } = peftTypeOf(config.peft_type) ?? {};
  if (bias !== "none" && only === undefined) return undefined;
  if (headless && headModules.length > 0) return undefined;
  const { head, peftTask } = objectiveOf(goal.task);
  if (peftTask === null && headModules.length > 0) return undefined; // PEFT saves the tied embeddings with it
  const taskType = headModules.length > 0 || heads[head].goesOn ? peftTask : null;
  const mapping = {
    base_model_class: base.model.classes[head],
    parent_library: `transformers.models.${base.model.modelType}.modeling_${base.model.modelType}`,
  };
  return {
    ...config,
    ...exactTargets(adapted, config),
    ...(only && { bias: bias === "adapted" ? only : bias }),
    auto_mapping: taskType === null ? mapping : null,
    ...(!headless && { modules_to_save: headModules.length > 0 ? headModules : null }),
    task_type: taskType,
  };
}

/** The layers by their whole paths, where PEFT would not find the same ones by the method's own words. */
function exactTargets(adapted: AdaptedModel, config: Json): Json {
  if (!("target_modules" in config) || (isUnderstood(config, adapted) && actsAlike(adapted, config))) return {};
  const own = peftTypeOf(config.peft_type)?.exact?.(adapted);
  return own ?? { target_modules: adapted.targets, layers_to_transform: null };
}

/** PEFT's own conditions on these fields. */
function isUnderstood(config: Json, { headModules }: AdaptedModel): boolean {
  const { target_modules: modules, layers_to_transform: layers } = config;
  if (typeof modules === "string" && (layers ?? null) !== null) return false;
  // of all linear layers PEFT leaves out a head that has one of these names, and no other
  if (modules === "all-linear" && headModules.some((module) => !leftOut.includes(module))) return false;
  return peftTypeOf(config.peft_type)?.understands?.(config) ?? true;
}

/** PEFT's names of heads */
const leftOut = ["score", "classifier"];

/** Whether the method as read back from the fields has the same tensors. */
function actsAlike({ base, goal, layout }: AdaptedModel, config: Json): boolean {
  const use = methods.flatMap((method) => method.fromPeft(config) ?? [])[0];
  if (!use) return false;
  const again = adapt(base, [use], goal).layout;
  const shapes = new Map(again.map(({ name, shape }) => [name, String(shape)]));
  const own = layout.filter(({ part }) => part === "adapter");
  const count = again.filter(({ part }) => part === "adapter").length;
  return own.length === count && own.every(({ name, shape }) => shapes.get(name) === String(shape));
}

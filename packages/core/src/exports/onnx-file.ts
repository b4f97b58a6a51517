import { unitScale } from "../adapters/foreign/onnx-adapter/unit-scale.ts";
import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { gathered } from "../containers/chunks.ts";
import { memoryFolder } from "../containers/folder.ts";
import { withFields } from "../containers/json.ts";
import { InputError, InternalError } from "../errors.ts";
import { cast } from "../graph/ops/cast.ts";
import { substitute } from "../graph/substitute.ts";
import { constant, input, reinterpret, type Value } from "../graph/value.ts";
import { leavesOf } from "../graph/walk.ts";
import { keyValueCache, wholePast } from "../nn/cache.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import { encodeGraph } from "../onnx/encode.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { tensorsOf } from "../peft/phi.ts";
import { promptLength } from "../peft/prompted.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import type { Shape } from "../tensor/shape.ts";
import { encodeMerged, type MergeOptions } from "./merged.ts";
import { taskConfig } from "./task-config.ts";

/** A model for ONNX Runtime alone, without the tokenizer's files, which are the base's. */
export interface OnnxFiles {
  readonly "config.json": string;
  /** a ModelProto with all weights */
  readonly "model.onnx": Uint8Array;
}

export interface OnnxOptions extends MergeOptions {
  /**
   * Whether a causal language model takes the keys and values of earlier tokens and gives those of all, as Hugging Face's
   * exports with past do: float32 past_key_values.<layer>.key and .value, [batch, heads, past, head size], which are empty
   * at first, and present.<layer>.key and .value. The mask is then that of all tokens, and the logits are those of the
   * last one, [batch, 1, vocabulary].
   */
  readonly past?: boolean;
}

/**
 * One ONNX file that computes alone what base and adapter compute together. Its inputs are those of Hugging Face's
 * exports, int64 [batch, tokens]: input_ids, attention_mask, and token_type_ids where the model reads them. Its output
 * `logits` is float32 [batch, labels], [batch, tokens, labels] or [batch, tokens, vocabulary].
 * What can be merged is merged as in a checkpoint; where a method or the pooling cannot, the file computes what they
 * compute beside the base's weights.
 *
 * @throws InputError where the file would be larger than 2 GB, for a type of weights that are not merged, and for a past
 *   that the task or the method has not
 */
export async function encodeOnnx(
  base: HfModel,
  adapter: AdapterNumbers,
  engine: Engine,
  { past = false, ...options }: OnnxOptions = {},
): Promise<OnnxFiles> {
  const { adapted, phi } = adapter;
  const { unmergeable, goal } = adapted;
  if (past) requirePast(adapted);
  if (unmergeable.length > 0 || (goal.pooling ?? "default") !== "default") {
    const what = unmergeable[0] ?? `pooling "${goal.pooling}"`;
    if (options.dtype) throw new InputError(`\`dtype\` is for merged weights, but ${what} cannot be merged`);
    const config = withFileName(await taskConfig(base, adapted, options));
    return { "config.json": config, "model.onnx": await standalone(base, adapted, { past, fixed: tensorsOf(phi) }) };
  }
  const files = await encodeMerged(base, adapter, engine, options);
  const config = files["config.json"];
  const weights = await gathered(files["model.safetensors"]);
  const merged = await readBase(memoryFolder(base.name, { "config.json": config, "model.safetensors": weights }));
  const alone = adapt(merged, [], { ...goal, trainsHead: false });
  return { "config.json": withFileName(config), "model.onnx": await standalone(merged, alone, { past }) };
}

/**
 * The same file with the adapter left out: every tensor of Φ is an input of its name, to be fed by ONNX Runtime from an
 * `.onnx_adapter`. Without one it has the value from which training starts, so that the file is the base where the method
 * starts as the base; a head is the base's own where it has one. LoRA's and DoRA's factors hold their scale and may have
 * any rank, so that one file serves adapters of all ranks and alphas; other methods' options are part of the file.
 *
 * @throws InputError where the file would be larger than 2 GB, for a past that the task or the method has not, and for a
 *   whole model
 */
export async function encodeOnnxForAdapters(
  base: HfModel,
  trained: AdapterNumbers,
  { past = false, labels }: Pick<OnnxOptions, "past" | "labels"> = {},
): Promise<OnnxFiles> {
  if (past) requirePast(trained.adapted);
  if (trained.adapted.methods.some(({ name }) => name === "full")) {
    throw new InputError("after full fine-tuning everything is the adapter, so that no graph is left to feed it to");
  }
  const { adapted } = unitScale(trained);
  const defaults = tensorsOf(await initialPhi(adapted, 0));
  const config = withFileName(await taskConfig(base, adapted, { labels }));
  return { "config.json": config, "model.onnx": await standalone(base, adapted, { past, defaults }) };
}

/**
 * What a config.json says to transformers.js, which in browsers would look for model_quantized.onnx first. "fp32" is its
 * word for the file without an ending, whose inputs and outputs are float32 whatever the weights are.
 */
const withFileName = (config: string): string =>
  withFields(config, "config.json", { "transformers.js_config": { dtype: "fp32" } });

function requirePast({ goal, methods }: AdaptedModel): void {
  if (!heads[objectiveOf(goal.task).head].goesOn)
    throw new InputError(`only causal language models have a past; this model is for ${goal.task}`);
  const prompts = methods.filter((use) => promptLength([use]) > 0).map(({ name }) => name);
  if (prompts.length > 0) {
    throw new InputError(
      `${prompts.join(", ")} stands in front of a text alone, and a file with past computes every token in the same way; ` +
        "write one without past, or choose a method such as prefix",
    );
  }
}

interface Standalone {
  readonly past: boolean;
  /** inputs that become constants */
  readonly fixed?: Tensors;
  /** inputs that stay, with what is read where they are not fed */
  readonly defaults?: Tensors;
}

/** The forward graph with the numbers of all its tensors. */
async function standalone(
  base: HfModel,
  adapted: AdaptedModel,
  { past, fixed = {}, defaults = {} }: Standalone,
): Promise<Uint8Array> {
  const cache = past ? keyValueCache(base.model.sizes, wholePast) : undefined;
  const { logits } = adapted.forward({ cache });
  const outputs = Object.entries({ logits, ...cache?.present });
  const values = outputs.map(([, value]) => value);
  const leaves = leavesOf(values);
  refuseLarge(leaves);
  const weights = new Map<Value, Value>();
  for (const leaf of leaves) {
    const { source, dtype } = leaf;
    if (source.kind !== "weight") continue;
    if (!base.checkpoint) throw new InternalError(`${base.name} was opened without its weights`);
    const stored = constant(await base.checkpoint.read(source.tensor.name));
    const packed = dtype === "uint4" || dtype === "uint8";
    weights.set(leaf, packed ? reinterpret(stored, dtype, source.tensor.shape) : stored);
  }
  const alone = substitute(values, (leaf) => {
    const { source } = leaf;
    if (source.kind === "weight") return weights.get(leaf) ?? leaf;
    if (source.kind !== "input") return leaf;
    const trained = fixed[source.name];
    if (trained) return constant(trained);
    if (defaults[source.name]) return input(source.name, leaf.dtype, shapeOfAnyRank(source.name, leaf.shape));
    return leaf.dtype === "int32" ? cast(input(source.name, "int64", leaf.shape), "int32") : leaf;
  });
  const named = Object.fromEntries(outputs.map(([name, value], i) => [name, alone[i] ?? value]));
  return encodeGraph(named, undefined, {}, { defaults }).model;
}

/** The shape of an input, in which the rank of LoRA's factors is a symbol. */
function shapeOfAnyRank(name: string, shape: Shape): Shape {
  const [, path, ofTable, ofWeight] = /^(.*)\.lora_(?:embedding_([AB])|([AB])\.weight)$/.exec(name) ?? [];
  const factor = ofTable ?? ofWeight;
  if (factor === undefined) return shape;
  return shape.map((length, axis) => (axis === (factor === "A" ? 0 : 1) ? `${path}.rank` : length));
}

/** A message of Protocol Buffers has 2 GB at most. */
function refuseLarge(leaves: readonly Value[]): void {
  const sizes = new Map(
    leaves.flatMap(({ source }) => (source.kind === "weight" ? [[source.tensor.name, source.tensor.byteLength]] : [])),
  );
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes < 2 ** 31 - 2 ** 24) return; // the graph takes some megabytes at most
  throw new InputError(`an ONNX file holds 2 GB at most, and the weights have ${(bytes / 1e9).toFixed(1)} GB`);
}

import { InputError, InternalError } from "../errors.ts";
import { cast } from "../graph/ops/cast.ts";
import { substitute } from "../graph/substitute.ts";
import { constant, input, type Value } from "../graph/value.ts";
import { leavesOf } from "../graph/walk.ts";
import { encode } from "../onnx/encode.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import { gathered } from "./chunks.ts";
import { memoryFolder } from "./folder.ts";
import { type HfModel, readBase } from "./hf-model.ts";
import { encodeMerged, type MergeOptions } from "./merged.ts";
import { taskConfig } from "./task-config.ts";

/** A model for ONNX Runtime alone, without the tokenizer's files, which are the base's. */
export interface OnnxFiles {
  readonly "config.json": string;
  /** a ModelProto with all weights */
  readonly "model.onnx": Uint8Array;
}

/**
 * One ONNX file that computes alone what base and adapter compute together. Its inputs are those of Hugging Face's
 * exports, int64 [batch, tokens]: input_ids, attention_mask, and token_type_ids where the model reads them. Its output
 * `logits` is float32 [batch, labels], [batch, tokens, labels] or [batch, tokens, vocabulary].
 * What can be merged is merged as in a checkpoint; where a method or the pooling cannot, the file computes what they
 * compute beside the base's weights.
 *
 * @throws InputError where the file would be larger than 2 GB, and for a type of weights that are not merged
 */
export async function encodeOnnx(
  base: HfModel,
  adapted: AdaptedModel,
  phi: Phi,
  engine: Engine,
  options: MergeOptions = {},
): Promise<OnnxFiles> {
  const { unmergeable, goal } = adapted;
  if (unmergeable.length > 0 || (goal.pooling ?? "default") !== "default") {
    const what = unmergeable[0] ?? `pooling "${goal.pooling}"`;
    if (options.dtype) throw new InputError(`--dtype is for merged weights, but ${what} cannot be merged`);
    const config = await taskConfig(base, adapted, options);
    return { "config.json": config, "model.onnx": await standalone(base, adapted, tensorsOf(phi)) };
  }
  const files = await encodeMerged(base, adapted, phi, engine, options);
  const config = files["config.json"];
  const weights = await gathered(files["model.safetensors"]);
  const merged = await readBase(memoryFolder(base.name, { "config.json": config, "model.safetensors": weights }));
  const alone = adapt(merged, [], { ...goal, trainsHead: false });
  return { "config.json": config, "model.onnx": await standalone(merged, alone, {}) };
}

/** The forward graph with the numbers of all its tensors. */
async function standalone(base: HfModel, adapted: AdaptedModel, phi: Tensors): Promise<Uint8Array> {
  const { logits } = adapted.forward();
  const leaves = leavesOf([logits]);
  refuseLarge(leaves);
  const weights = new Map<string, Value>();
  for (const { source } of leaves) {
    if (source.kind !== "weight" || weights.has(source.tensor.name)) continue;
    if (!base.checkpoint) throw new InternalError(`${base.name} was opened without its weights`);
    weights.set(source.tensor.name, constant(await base.checkpoint.read(source.tensor.name)));
  }
  const [alone = logits] = substitute([logits], (leaf) => {
    const { source } = leaf;
    if (source.kind === "weight") return weights.get(source.tensor.name) ?? leaf;
    if (source.kind !== "input") return leaf;
    const trained = phi[source.name];
    return trained ? constant(trained) : cast(input(source.name, "int64", leaf.shape), "int32");
  });
  return encode({ logits: alone }).model;
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

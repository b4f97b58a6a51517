import type { Model } from "../nn/model.ts";
import type { BaseTensor } from "../tensor/quantized-tensor.ts";

/** A base model with its checkpoint's tensors: Θ. */
export interface Base {
  /** how it was named when it was opened */
  readonly name: string;
  readonly model: Model;
  /** the checkpoint's tensors by name; undefined where only the configuration is at hand, for counting */
  readonly tensors: ReadonlyMap<string, BaseTensor> | undefined;
  /** A tensor of the checkpoint, in float32. */
  read(name: string): Promise<Float32Array>;
}

/**
 * Where a checkpoint keeps a tensor that has the given name in Hugging Face's task class: under that name, without the
 * base's prefix (a bare base was saved), with the names that layer norms had before 2020, or under the model's other
 * name for it.
 */
export function findTensor<T>(
  { tensors, model }: { readonly tensors: ReadonlyMap<string, T> | undefined } & Pick<Base, "model">,
  name: string,
): T | undefined {
  const other = Object.hasOwn(model.otherNames, name) ? model.otherNames[name] : undefined;
  const bare = name.startsWith(`${model.prefix}.`) ? name.slice(model.prefix.length + 1) : `${model.prefix}.${name}`;
  for (const candidate of [name, bare, ...(other === undefined ? [] : [other])]) {
    const found = tensors?.get(candidate) ?? tensors?.get(before2020(candidate));
    if (found) return found;
  }
  return undefined;
}

/** The name that a norm's tensor had before 2020. */
const before2020 = (name: string): string =>
  name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");

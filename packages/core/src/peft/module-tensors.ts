import { cast } from "../graph/ops/cast.ts";
import { dequantize } from "../graph/ops/dequantize-linear.ts";
import { type Value, weight } from "../graph/value.ts";
import { isBias, isNorm } from "../nn/scope.ts";
import { type BaseTensor, isQuantized, type QuantizedTensor } from "../tensor/quantized-tensor.ts";
import { findTensor } from "./base.ts";
import { type Building, inHead, type ModuleTensor, noteActing, placeOf, trained } from "./building.ts";
import type { MethodUse } from "./method.ts";
import { fromCheckpoint, type Initializer, normal, ones, zeros } from "./parameter.ts";

/** A tensor of the checkpoint: trained where the head or a method wants it, frozen in its file otherwise. */
export function moduleTensor(building: Building, tensor: ModuleTensor): Value {
  const { module, name, shape, role, layer } = tensor;
  const known = building.parameters.get(name)?.value ?? building.frozen.get(name)?.value;
  if (known) {
    building.shared.add(name);
    return known;
  }
  const { base, methods } = building;
  const stored = findTensor(base, name);
  const fits = stored?.shape.length === shape.length && stored.shape.every((length, axis) => length === shape[axis]);
  const head = inHead(building, name);
  const place = placeOf(building, { path: name, layer });
  const trainers = methods.filter((use) => use.trains?.({ ...place, module, shape, role, head }));
  for (const use of trainers) noteActing(building, use, module);
  const [trainer] = trainers;
  if (head ? building.headTrained || trainer : trainer) {
    if (stored && isQuantized(stored)) building.problems.add(frozenInBits(trainer, stored.bits));
    const start =
      stored && fits
        ? { initial: fromCheckpoint(stored.name), stored: stored.name }
        : { initial: newTensor(building, tensor, head), stored: undefined };
    return trained(building, {
      name,
      shape,
      role,
      layer,
      ...start,
      part: head ? "head" : "base",
      method: head ? undefined : trainer?.name,
    });
  }
  if (!fits && base.tensors) building.problems.add(misfit(name, shape, stored?.shape));
  const missing = { name, file: "", offset: 0, byteLength: 0, dtype: "float32" as const, shape };
  const value = frozenValue(stored && fits ? stored : missing);
  building.frozen.set(name, { value, ...tensor });
  return value;
}

/**
 * An output layer's matrix that is the table of embeddings: trained apart where an adapter saves it; the base's own where one
 * saves only the table, as in PEFT; otherwise the table.
 */
export function tiedTensor(building: Building, tensor: ModuleTensor, table: string): Value {
  const { name, shape } = tensor;
  building.ties.set(name, table);
  if (building.headTrained && inHead(building, name)) {
    const stored = findTensor(building.base, table);
    const start = stored && { initial: fromCheckpoint(stored.name), stored: stored.name };
    return trained(building, {
      name,
      shape,
      role: tensor.role,
      layer: tensor.layer,
      part: "head",
      method: undefined,
      ...(start ?? { initial: newTensor(building, tensor, true), stored: undefined }),
    });
  }
  const follows = !(building.headTrained && inHead(building, table));
  if (follows) return moduleTensor(building, { ...tensor, name: table, role: "table" });
  const value = baseTensor(building, table, shape);
  building.untied.set(name, value);
  return value;
}

/** A tensor of the base as its file has it, whatever is trained. */
function baseTensor({ base }: Building, name: string, shape: readonly number[]): Value {
  const stored = findTensor(base, name);
  return frozenValue(stored ?? { name, file: "", offset: 0, byteLength: 0, dtype: "float32", shape });
}

/** A tensor of the checkpoint in float32, as it is computed with. */
const frozenValue = (tensor: BaseTensor): Value =>
  isQuantized(tensor) ? dequantize(tensor) : cast(weight(tensor), "float32");

const frozenInBits = (use: MethodUse | undefined, bits: QuantizedTensor["bits"]): string =>
  `${use?.name ?? "the head"} would train weights that this base holds in ${bits} bits, and those stay frozen; ` +
  "choose a method that leaves the base's matrices as they are, such as lora, or open the base that was quantised";

/** What a head's tensor is before training: as Hugging Face's classes do it. */
function newTensor({ base, problems }: Building, { name, shape, role }: ModuleTensor, head: boolean): Initializer {
  if (!head && base.tensors) problems.add(misfit(name, shape, undefined));
  if (isBias(role)) return zeros;
  return isNorm(role) ? ones : normal(base.model.sizes.initializerRange);
}

function misfit(name: string, shape: readonly number[], stored: readonly number[] | undefined): string {
  return stored
    ? `the checkpoint's "${name}" has shape [${stored.join(", ")}]; its config.json calls for [${shape.join(", ")}]`
    : `the checkpoint has no tensor "${name}" of shape [${shape.join(", ")}]`;
}

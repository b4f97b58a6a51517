import { InputError, InternalError } from "../errors.ts";
import { float32, type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { Parameter } from "./parameter.ts";

/** A trained tensor with its place in the flat vector. */
export interface Placed extends Parameter {
  readonly offset: number;
  readonly size: number;
}

/**
 * Φ: everything that is trained, one flat vector with named views. Gradients and moments have the same layout.
 * While a training step computes, the vector is lent to the engine: it is empty then, and another array afterwards.
 */
export interface Phi extends Lender {
  readonly layout: readonly Placed[];
  /** where tensors started whose method adds only what they have changed since then, by their names */
  readonly starts: Readonly<Record<string, HostTensor>>;
  /** matrices that the adapter needs beside it and that are never trained, by name */
  readonly projections: Readonly<Record<string, HostTensor>>;
  /** whether another has the same numbers, which therefore never change: what is trained is a copy */
  isShared?: boolean;
}

/** The graph's input that is a tensor's start. */
export const startName = (tensor: string): string => `start of ${tensor}`;

/** Places tensors one behind the other. */
export function layOut(parameters: readonly Parameter[]): readonly Placed[] {
  let offset = 0;
  return parameters.map((parameter) => {
    const size = sizeOf(parameter.shape);
    const placed = { ...parameter, offset, size };
    offset += size;
    return placed;
  });
}

/** The length of the flat vector. */
export const lengthOf = (layout: readonly Placed[]): number => layout.reduce((sum, { size }) => sum + size, 0);

/** The views of a vector of Φ's layout, by name. */
export function viewsOf(layout: readonly Placed[], vector: Float32Array): Readonly<Record<string, Float32Array>> {
  if (vector.length !== lengthOf(layout)) throw new InternalError("a vector must have the layout's length");
  return Object.fromEntries(layout.map(({ name, offset, size }) => [name, vector.subarray(offset, offset + size)]));
}

/** The same numbers in a vector of their own, to be lent while others ask for Φ. @throws InputError while Φ is lent */
export function copyOf(phi: Phi): Phi {
  requireThere(phi);
  return { ...phi, values: phi.values.slice() };
}

/** Lets Φ change: shared numbers stay as they are, and the same Φ goes on with a copy of its own. */
export function takeOwn(phi: Phi): Phi {
  if (phi.isShared) Object.assign(phi, { values: phi.values.slice(), isShared: false });
  return phi;
}

/** Gives numbers that were changed in place another array over the same memory, by which those who keep copies see the change. */
export function renew(phi: Phi): void {
  phi.values = phi.values.subarray();
}

/** Φ with zeros in every place, to be filled. */
export const emptyPhi = (layout: readonly Placed[]): Phi & { readonly values: Float32Array } => ({
  layout,
  values: new Float32Array(lengthOf(layout)),
  starts: {},
  projections: {},
});

/**
 * What puts a tensor into Φ by its name; it says whether Φ has such a tensor.
 * @throws InternalError where the tensor is not as long as its place
 */
export function tensorWriter({ layout, values }: Pick<Phi, "layout" | "values">) {
  const places = new Map(layout.map((placed) => [placed.name, placed]));
  return (name: string, tensor: Float32Array): boolean => {
    const place = places.get(name);
    if (!place) return false;
    if (tensor.length !== place.size)
      throw new InternalError(`"${name}" has ${place.size} numbers, not ${tensor.length}`);
    values.set(tensor, place.offset);
    return true;
  };
}

/** Puts into Φ what another Φ has under the same names. */
export function takeTensors(phi: Phi, from: Phi): void {
  const put = tensorWriter(phi);
  for (const [name, values] of Object.entries(viewsOf(from.layout, from.values))) put(name, values);
}

/** Φ's views, starts and projections as tensors, the way a program is fed. */
export function tensorsOf(phi: Phi): Readonly<Record<string, HostTensor>> {
  const starts = Object.entries(phi.starts).map(([name, tensor]) => [startName(name), tensor] as const);
  return { ...trainedTensors(phi), ...Object.fromEntries(starts), ...phi.projections };
}

/**
 * Φ's views as tensors.
 * @throws InputError while Φ is with the engine
 */
export function trainedTensors(phi: Pick<Phi, "layout" | "values">): Readonly<Record<string, HostTensor>> {
  requireThere(phi);
  const { layout, values } = phi;
  return Object.fromEntries(
    layout.map(({ name, shape, offset, size }) => [name, float32(shape, values.subarray(offset, offset + size))]),
  );
}

/** @throws InputError while Φ is with the engine */
export function requireThere({ layout, values }: Pick<Phi, "layout" | "values">): void {
  if (values.length === lengthOf(layout)) return;
  throw new InputError("a model that is being trained can be asked or saved between two steps, not during one");
}

import { InputError } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { layOut, lengthOf, type Phi, type Placed } from "../peft/phi.ts";
import { fastfood } from "../tensor/fastfood.ts";

/** What the optimizer moves, where that is not Φ itself but a few numbers that Φ is a function of. */
export interface Coordinates {
  readonly layout: readonly Placed[];
  readonly values: Float32Array;
  /** The gradient with respect to the coordinates, of that with respect to Φ where it was last written. */
  contract(gradient: Float32Array): Float32Array;
  /** Writes Φ as it is at the coordinates. */
  expand(phi: Float32Array): void;
}

/**
 * The coordinates of a method that trains the base in a random subspace (Aghajanyan et al. 2020, arXiv:2012.13255, section 3):
 *   did:  θ = θ₀ + P z                        z: [dimension]
 *   said: θᵢ = θ₀ᵢ + λᵢ (P z)ᵢ in layer i      z and the λ, which start at 1, are `dimension` numbers together
 * with P a Fastfood projection of the run's seed and θ₀ where Φ is now; z starts at 0. The head is trained as it is.
 * Undefined where no method does so.
 */
export function coordinatesOf(adapted: Pick<AdaptedModel, "methods">, phi: Phi, seed: number): Coordinates | undefined {
  const subspace = adapted.methods.flatMap((use) => use.subspace?.() ?? [])[0];
  if (!subspace) return undefined;
  const inside = phi.layout.filter(({ part }) => part !== "head");
  const outside = phi.layout.filter(({ part }) => part === "head");
  const groups = subspace.layerwise ? [...new Set(inside.map(({ layer }) => layer))] : [];
  const length = subspace.dimension - groups.length;
  if (length < 1)
    throw new InputError(
      `subspace: a dimension of ${subspace.dimension} leaves no direction beside ${groups.length} scales of layers; give more`,
    );
  const layout = layOut([...ownParts(length, groups.length), ...outside]);
  const values = new Float32Array(lengthOf(layout));
  values.fill(1, length, length + groups.length);
  const start = phi.values.slice();
  for (const [at, { offset }] of heads(layout).entries()) {
    const from = outside[at];
    if (from) values.set(start.subarray(from.offset, from.offset + from.size), offset);
  }
  const outer = lengthOf(inside);
  const projection = fastfood(outer, length, seed);
  /** P z where Φ was last written, which is where its gradient is taken */
  const moved = new Float32Array(outer);
  const scaled = new Float32Array(outer);
  const gradients = new Float32Array(values.length);
  const z = values.subarray(0, length);
  /** every tensor of the base with its place in P's result and the number of its layer's scale */
  let taken = 0;
  const tensors = inside.map(({ offset, size, layer }) => {
    const place = { offset, size, at: taken, group: groups.indexOf(layer) };
    taken += size;
    return place;
  });
  const scaleOf = (group: number) => (group < 0 ? 1 : (values[length + group] ?? 1));
  return {
    layout,
    values,
    contract(gradient) {
      gradients.fill(0);
      for (const { offset, size, at, group } of tensors) {
        const scale = scaleOf(group);
        let along = 0;
        for (let i = 0; i < size; i++) {
          scaled[at + i] = scale * gradient[offset + i]!;
          along += moved[at + i]! * gradient[offset + i]!;
        }
        if (group >= 0) gradients[length + group] = (gradients[length + group] ?? 0) + along;
      }
      projection.contract(scaled, gradients.subarray(0, length));
      for (const [at, { offset }] of heads(layout).entries()) {
        const from = outside[at];
        if (from) gradients.set(gradient.subarray(from.offset, from.offset + from.size), offset);
      }
      return gradients;
    },
    expand(vector) {
      projection.expand(z, moved);
      for (const { offset, size, at, group } of tensors) {
        const scale = scaleOf(group);
        for (let i = 0; i < size; i++) vector[offset + i] = start[offset + i]! + scale * moved[at + i]!;
      }
      for (const [at, { offset, size }] of heads(layout).entries()) {
        const to = outside[at];
        if (to) vector.set(values.subarray(offset, offset + size), to.offset);
      }
    },
  };
}

const heads = (layout: readonly Placed[]) => layout.filter(({ part }) => part === "head");

/** The subspace's own numbers as tensors, so that the optimizer's groups know them. */
function ownParts(directions: number, scales: number) {
  const own = {
    part: "adapter",
    role: "weight",
    layer: undefined,
    method: "subspace",
    stored: undefined,
    initial: () => new Float32Array(0),
  } as const;
  return [
    { ...own, name: "subspace.directions", shape: [directions] },
    ...(scales > 0 ? [{ ...own, name: "subspace.scales", shape: [scales] }] : []),
  ];
}

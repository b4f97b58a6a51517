import type { AdaptedModel } from "../peft/adapt.ts";
import { sizeOf } from "../tensor/host-tensor.ts";

/** How many numbers lie where in a model. */
export interface Places {
  /** embeddings, pooler and last norm */
  readonly outside: number;
  /** of each layer of the stack, from the embeddings up */
  readonly layers: readonly number[];
  readonly head: number;
}

interface Part {
  readonly layer: number | undefined;
  readonly head: boolean;
  readonly size: number;
}

/** Where the base's parameters lie. */
export const placesOfBase = ({ modelTensors, base }: AdaptedModel): Places =>
  sums(
    base.model.sizes.layers,
    modelTensors.map(({ layer, shape, head }) => ({ layer, head, size: sizeOf(shape) })),
  );

/** Where Φ acts; a tensor that several sites share is shared out among them. */
export function placesOfPhi({ layout, targets, base, modelTensors }: AdaptedModel): Places {
  const layerOf = (path: string) => modelTensors.find(({ name }) => name.startsWith(`${path}.`))?.layer;
  const parts = layout.flatMap(({ name, part, layer, size }): readonly Part[] => {
    const head = part === "head";
    const shared = part === "adapter" && !name.includes(".") && targets.length > 0;
    if (!shared) return [{ layer, head, size }];
    return targets.map((path) => ({ layer: layerOf(path), head: false, size: size / targets.length }));
  });
  return sums(base.model.sizes.layers, parts);
}

function sums(layers: number, parts: readonly Part[]): Places {
  const total = (chosen: (part: Part) => boolean) => parts.filter(chosen).reduce((sum, { size }) => sum + size, 0);
  return {
    outside: total(({ layer, head }) => !head && layer === undefined),
    layers: Array.from({ length: layers }, (_, at) => total(({ layer, head }) => !head && layer === at)),
    head: total(({ head }) => head),
  };
}

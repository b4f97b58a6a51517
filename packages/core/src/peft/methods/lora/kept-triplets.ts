import { InternalError } from "../../../errors.ts";
import { float32, float32Of, type HostTensor } from "../../../tensor/host-tensor.ts";
import type { Trained } from "../../method.ts";

/** The triplets that AdaLoRA has left each layer. */
interface KeptTriplets {
  /** how many, by the layer's path */
  readonly ranks: Readonly<Record<string, number>>;
  /** A, B and E without the others */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** The triplets whose E is not 0, which are all that the update consists of; at least one a layer. */
export function keptTriplets({ tensors }: Pick<Trained, "tensors">): KeptTriplets {
  const layers = Object.keys(tensors).flatMap((name) =>
    name.endsWith(".lora_E") ? [name.slice(0, -".lora_E".length)] : [],
  );
  const kept = layers.map((path) => {
    const [A, B, E] = ["A", "B", "E"].map((factor) => matrixOf(tensors, `${path}.lora_${factor}`));
    if (!A || !B || !E) throw new InternalError(`${path} has no triplets`);
    const nonzero = [...E.values.keys()].filter((at) => E.values[at] !== 0);
    const places = nonzero.length > 0 ? nonzero : [0];
    return { path, rank: places.length, A: rows(A, places), B: columns(B, places), E: rows(E, places) };
  });
  return {
    ranks: Object.fromEntries(kept.map(({ path, rank }) => [path, rank])),
    tensors: Object.fromEntries(
      kept.flatMap(
        ({ path, A, B, E }) =>
          [
            [`${path}.lora_A`, A],
            [`${path}.lora_B`, B],
            [`${path}.lora_E`, E],
          ] as const,
      ),
    ),
  };
}

interface Rows {
  readonly values: Float32Array;
  readonly width: number;
}

function matrixOf(tensors: Trained["tensors"], name: string): Rows | undefined {
  const tensor = tensors[name];
  return tensor && { values: float32Of(tensor), width: tensor.shape[1] ?? 1 };
}

const rows = ({ values, width }: Rows, places: readonly number[]): HostTensor =>
  float32(
    [places.length, width],
    Float32Array.from(places.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)])),
  );

function columns({ values, width }: Rows, places: readonly number[]): HostTensor {
  const height = values.length / width;
  const kept = places.length;
  const taken = Float32Array.from(
    { length: height * kept },
    (_, at) => values[Math.floor(at / kept) * width + places[at % kept]!]!,
  );
  return float32([height, kept], taken);
}

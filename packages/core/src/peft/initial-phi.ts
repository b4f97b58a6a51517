import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import type { AdaptedModel } from "./adapt.ts";
import { findTensor } from "./base.ts";
import type { InputDirections } from "./parameter.ts";
import { emptyPhi, type Phi, tensorWriter } from "./phi.ts";

/**
 * Draws Φ's initial values: each tensor from its own stream of the seed, or from the checkpoint.
 *
 * @param directions of the layers' inputs on the data to train on, where a method {@link startsFromData}
 * @throws InputError where a method starts from data and there are none
 */
export async function initialPhi(
  { layout, starts, projections, base }: Pick<AdaptedModel, "layout" | "starts" | "projections" | "base">,
  seed: number,
  directions?: InputDirections,
): Promise<Phi> {
  const read = (tensor: string) => base.read(findTensor(base, tensor)?.name ?? tensor);
  const phi = emptyPhi(layout);
  const put = tensorWriter(phi);
  const kept: Record<string, HostTensor> = {};
  for (const { name, shape, initial } of layout) {
    const start = await initial({ shape, random: random(seed, `initial ${name}`), read, directions });
    put(name, start);
    if (starts.includes(name)) kept[name] = float32(shape, start);
  }
  const drawn: Record<string, HostTensor> = {};
  for (const { name, shape, key, initial } of projections) {
    drawn[name] = float32(shape, await initial({ shape, random: random(key, `projection ${name}`), read, directions }));
  }
  return { ...phi, starts: kept, projections: drawn };
}

/** Whether a method's start is found in data to train on. */
export const startsFromData = ({ methods }: Pick<AdaptedModel, "methods">): boolean =>
  methods.some((use) => use.startsFromData?.());

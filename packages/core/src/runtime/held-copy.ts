import { float32Of } from "../tensor/host-tensor.ts";
import type { HeldTensor } from "./held.ts";
import type { Engine, Tensors } from "./session.ts";

/** Tensors that the engine holds, for one run after the other; they must be given back. */
export interface HeldCopy {
  readonly tensors: Readonly<Record<string, HeldTensor>>;
  /** Gives the memory back. */
  release(): Promise<void>;
}

/**
 * A copy of float32 tensors on the engine's side, where they go once and not for every run. What becomes of the tensors after
 * the call changes nothing of the copy.
 */
export async function heldCopy(engine: Pick<Engine, "hold">, tensors: Tensors): Promise<HeldCopy> {
  const all = Object.entries(tensors);
  const values = new Float32Array(all.reduce((sum, [, { data }]) => sum + data.length, 0));
  let end = 0;
  const places = all.map(([name, tensor]) => {
    const start = end;
    values.set(float32Of(tensor), start);
    end += tensor.data.length;
    return { name, start, shape: tensor.shape };
  });
  const held = await engine.hold(values);
  return {
    tensors: Object.fromEntries(places.map(({ name, ...place }) => [name, { held, ...place }])),
    release: () => held.release(),
  };
}

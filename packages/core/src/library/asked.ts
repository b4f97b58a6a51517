import type { Phi } from "../peft/phi.ts";
import type { Prediction } from "../training/row-program.ts";
import type { Asking } from "./asking.ts";

/** What is asked of each Φ on a base, so that calls find those that came before them. */
type AskedOf<R> = (phi: Phi, begin: () => Asking<R>) => Asking<R>;

export interface Asked {
  readonly logits: AskedOf<Prediction>;
  readonly vectors: AskedOf<Float32Array>;
}

export const asked = (): Asked => ({ logits: askedOf(), vectors: askedOf() });

function askedOf<R>(): AskedOf<R> {
  const known = new WeakMap<Phi, Asking<R>>();
  return (phi, begin) => {
    const found = known.get(phi) ?? begin();
    known.set(phi, found);
    return found;
  };
}

import type { Lanes } from "../generation/lanes.ts";
import type { Phi } from "../peft/phi.ts";
import type { Prediction } from "../training/row-program.ts";
import type { Asking } from "./asking.ts";

/** What is asked of each Φ on a base, so that calls find those that came before them. */
type AskedOf<R> = (phi: Phi, begin: () => Asking<R>) => Asking<R>;

export interface Asked {
  readonly logits: AskedOf<Prediction>;
  readonly vectors: AskedOf<Float32Array>;
  /** the texts that go on, whoever asked */
  readonly texts: (begin: () => Lanes) => Lanes;
}

export function asked(): Asked {
  let lanes: Lanes | undefined;
  const texts = (begin: () => Lanes): Lanes => {
    lanes ??= begin();
    return lanes;
  };
  return { logits: askedOf(), vectors: askedOf(), texts };
}

function askedOf<R>(): AskedOf<R> {
  const known = new WeakMap<Phi, Asking<R>>();
  return (phi, begin) => {
    const found = known.get(phi) ?? begin();
    known.set(phi, found);
    return found;
  };
}

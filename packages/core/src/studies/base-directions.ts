import type { Base } from "../peft/base.ts";
import { type DenseMatrix, leftVectors } from "../tensor/singular-values.ts";

type Directions = readonly Float64Array[];

/** The left singular vectors of a base's matrices by their sites, which every tuned matrix is compared with. */
const known = new WeakMap<Base, Map<string, Directions>>();

/** Those of larger bases are computed anew each time. */
const mostBytes = 2 ** 28;

/** The left singular vectors of the base's matrix at a site, each up to a factor. */
export function baseDirections(base: Base, site: string, W: DenseMatrix): Directions {
  const ofBase = known.get(base) ?? new Map<string, Directions>();
  known.set(base, ofBase);
  const directions = ofBase.get(site) ?? leftVectors(W);
  if (bytesOf([...ofBase.values(), directions]) <= mostBytes) ofBase.set(site, directions);
  return directions;
}

const bytesOf = (all: readonly Directions[]): number =>
  all.reduce((sum, vectors) => sum + vectors.length * (vectors[0]?.byteLength ?? 0), 0);

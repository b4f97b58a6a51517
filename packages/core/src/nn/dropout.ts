import { add } from "../graph/ops/add.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { expand } from "../graph/ops/expand.ts";
import { greater } from "../graph/ops/greater.ts";
import { mod } from "../graph/ops/mod.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { where } from "../graph/ops/where.ts";
import { scalar, type Value } from "../graph/value.ts";
import { elements } from "../tensor/shape.ts";

const prime = 2_147_483_629; // below 2³¹, so that products of two residues stay inside int64

/**
 * Inverted dropout (Srivastava et al. 2014): each element is 0 with the given probability, else x / (1 − probability).
 * Which ones is a hash of (key, site, element) computed in the graph, so that a run repeats itself on every host and a
 * resumed run goes on as if it had never stopped.  key: int64 [], new at every step; site: a number of its own per call
 */
export function dropout(x: Value, probability: number, key: Value, site: number): Value {
  if (probability === 0) return x;
  const count = elements(x.shape);
  const index = cumSum(expand(scalar(1, "int64"), [count]), 0);
  const mixed = round(add(round(add(index, scalar(site * 7_919, "int64")), 1_103_515_245, 12_345), key), 69_621, 1);
  const kept = greater(mixed, scalar(Math.floor(probability * prime), "int64"));
  return where(reshape(kept, x.shape), mul(x, scalar(1 / (1 - probability))), scalar(0));
}

/** h -> (a h + b)³ modulo a prime. */
function round(h: Value, a: number, b: number): Value {
  const modulus = scalar(prime, "int64");
  const line = mod(add(mul(mod(h, modulus), scalar(a, "int64")), scalar(b, "int64")), modulus);
  return mod(mul(mod(mul(line, line), modulus), line), modulus);
}

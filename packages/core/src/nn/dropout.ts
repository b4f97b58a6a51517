import { add } from "../graph/ops/add.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { expand } from "../graph/ops/expand.ts";
import { greater } from "../graph/ops/greater.ts";
import { mod } from "../graph/ops/mod.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { where } from "../graph/ops/where.ts";
import { scalar, type Value } from "../graph/value.ts";
import { type Dim, elements } from "../tensor/shape.ts";

// below 2³¹, so that products of two residues stay inside int64; ≡ 2 mod 3, so that cubing makes no two residues one
const prime = 2_147_483_579;

/**
 * Inverted dropout (Srivastava et al. 2014): each element is 0 with the given probability, else x / (1 − probability).
 * Which ones is a hash of (key, site, element) computed in the graph, so that a run repeats itself on every host and a
 * resumed run goes on as if it had never stopped.  key: int64 [], new at every step; site: a number of its own per call
 *
 * @param rows where x: [1, rows, size] is a chunk of a larger tensor's rows, their numbers there from 0 on, int64 [1, rows]
 */
export function dropout(x: Value, probability: number, key: Value, site: number, rows?: Value): Value {
  if (probability === 0) return x;
  const index = rows ? elementsOf(rows, x) : countedFromOne(elements(x.shape));
  // the stream's own number enters between the two rounds: sites and steps are no shifts of one another
  const stream = mixed(add(mixed(mod(key, scalar(prime, "int64")), 48_271, 11), scalar(site, "int64")), 39_373, 7);
  const noise = mixed(add(mixed(index, 1_103_515_245, 12_345), stream), 69_621, 1);
  const kept = greater(noise, scalar(Math.floor(probability * prime) - 1, "int64"));
  return where(reshape(kept, x.shape), mul(x, scalar(1 / (1 - probability), x.dtype)), scalar(0, x.dtype));
}

/** 1, 2, 3 …: int64 [length] */
export const countedFromOne = (length: Dim): Value => cumSum(expand(scalar(1, "int64"), [length]), 0);

/** The numbers that the elements of some rows have in the tensor of all rows, from 1 on. -> int64 [elements of x] */
function elementsOf(rows: Value, x: Value): Value {
  const [, count = 1, size = 1] = x.shape;
  const before = mul(reshape(rows, [count, 1]), scalar(Number(size), "int64"));
  return reshape(add(before, countedFromOne(size)), [elements(x.shape)]);
}

/** h -> (a h + b)³ modulo the prime, a permutation of the residues; h, a and b at least 0, a h + b below 2⁶³. */
function mixed(h: Value, a: number, b: number): Value {
  const modulus = scalar(prime, "int64");
  const line = mod(add(mul(h, scalar(a, "int64")), scalar(b, "int64")), modulus);
  return mod(mul(mod(mul(line, line), modulus), line), modulus);
}

import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { expand } from "../graph/ops/expand.ts";
import { greater } from "../graph/ops/greater.ts";
import { mod } from "../graph/ops/mod.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { where } from "../graph/ops/where.ts";
import { scalar, type Value } from "../graph/value.ts";
import { type Dim, elements, lengthUnder, tokensDim } from "../tensor/shape.ts";

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
  return dropped(x, probability, index, streamOf(key, site));
}

/** Of each row of a batch: what it would be told in the smaller batch that it is from. */
export interface OwnNoise {
  /** the key of its step, int64 [batch] */
  readonly key: Value;
  /** its number there, from 0 on, int64 [batch] */
  readonly row: Value;
  /** the tokens of a row there, int64 [batch] */
  readonly tokens: Value;
}

/**
 * The same for batches side by side, padded to the longest of them: to each row and token happens what {@link dropout} does
 * in its own batch.  x: [batch, …]
 */
export function dropoutOfOwn(x: Value, probability: number, { key, row, tokens }: OwnNoise, site: number): Value {
  if (probability === 0) return x;
  const [batch = 1, ...inner] = x.shape;
  const ofRow = (value: Value) => reshape(value, [batch, ...inner.map(() => 1)]);
  let index: Value = scalar(1, "int64");
  let stride: Value = scalar(1, "int64");
  for (const [axis, dim] of [...inner.entries()].reverse()) {
    const place = add(countedFromOne(dim), scalar(-1, "int64"));
    index = add(index, mul(reshape(place, [1, ...inner.map((_, other) => (other === axis ? dim : 1))]), stride));
    stride = mul(stride, ownLength(dim, ofRow(tokens)));
  }
  index = add(index, mul(ofRow(row), stride));
  return dropped(x, probability, index, streamOf(ofRow(key), site));
}

/** A length as it is in a batch of other tokens. -> int64 [] or [batch, 1, …] */
function ownLength(dim: Dim, tokens: Value): Value {
  if (typeof dim === "number") return scalar(dim, "int64");
  const [none, one] = [0, 1].map((length) => lengthUnder(dim, new Map([[tokensDim, length]])));
  if (none === undefined || one === undefined) throw new InternalError(`dropout over ${dim} is no row's own`);
  return add(mul(tokens, scalar(one - none, "int64")), scalar(none, "int64"));
}

/** The stream's own number enters between the two rounds of {@link dropped}: sites and steps are no shifts of one another. */
const streamOf = (key: Value, site: number): Value =>
  mixed(add(mixed(mod(key, scalar(prime, "int64")), 48_271, 11), scalar(site, "int64")), 39_373, 7);

/** @param index each element's number, from 1 on */
function dropped(x: Value, probability: number, index: Value, stream: Value): Value {
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

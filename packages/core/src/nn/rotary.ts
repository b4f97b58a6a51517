import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { concat } from "../graph/ops/concat.ts";
import { cos } from "../graph/ops/cos.ts";
import { exp } from "../graph/ops/exp.ts";
import { greater } from "../graph/ops/greater.ts";
import { log } from "../graph/ops/log.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { sin } from "../graph/ops/sin.ts";
import { slice } from "../graph/ops/slice.ts";
import { sub } from "../graph/ops/sub.ts";
import { where } from "../graph/ops/where.ts";
import { constant, scalar, type Value } from "../graph/value.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { textLength, textPositions } from "./causal.ts";
import type { ModelInputs } from "./model.ts";
import { frequencies, type Rope } from "./rope.ts";

/** Cosines and sines of the angles by which each token's queries and keys are turned: [batch, 1, tokens, size / 2]. */
export interface Rotation {
  readonly cosine: Value;
  readonly sine: Value;
}

interface RotationOptions {
  readonly rope: Rope;
  /** how many numbers of a head are turned, in pairs */
  readonly size: number;
  /** the longest text of the pre-training */
  readonly maxTokens: number;
  readonly virtualTokens: number;
}

/** The angles of a batch's tokens: position times frequency. */
export function rotation(inputs: ModelInputs, { rope, size, maxTokens, virtualTokens }: RotationOptions): Rotation {
  const positions = textPositions(inputs, virtualTokens);
  const [batch = 1, tokens = 1] = positions.shape;
  const steps = stepsOf(() => textLength(inputs, virtualTokens), rope, size, maxTokens);
  const angles = mul(reshape(cast(positions, "float32"), [batch, 1, tokens, 1]), steps);
  const magnitude = "magnitude" in rope ? rope.magnitude : 1;
  const scaled = (x: Value) => (magnitude === 1 ? x : mul(x, scalar(magnitude)));
  return { cosine: scaled(cos(angles)), sine: scaled(sin(angles)) };
}

/**
 * Pairs (x_i, x_{i + size/2}) of the first `size` numbers of each head turned by their token's angle (Su et al. 2021,
 * arXiv:2104.09864, section 3.4.2, paired as in Hugging Face's code).  x: [batch, heads, tokens, head size] -> the same
 */
export function rotate(x: Value, { cosine, sine }: Rotation): Value {
  const headSize = Number(x.shape[3]);
  const half = Number(cosine.shape[3]);
  const [first, second] = [slice(x, 3, 0, half), slice(x, 3, half, 2 * half)];
  const turned = [sub(mul(first, cosine), mul(second, sine)), add(mul(second, cosine), mul(first, sine))];
  return concat(2 * half === headSize ? turned : [...turned, slice(x, 3, 2 * half, headSize)], 3);
}

/** The frequencies of all texts, or those of each by its length: [size / 2] or [batch, 1, tokens or 1, size / 2] */
function stepsOf(length: () => Value, rope: Rope, size: number, maxTokens: number): Value {
  const steps = vector(frequencies(rope, size));
  if (rope.kind === "dynamic") return grownFrequencies(length(), rope, size, maxTokens);
  if (rope.kind !== "longrope") return steps;
  const long = vector(frequencies({ ...rope, short: rope.long }, size));
  const isLong = greater(asAngles(length()), scalar(rope.original, "int32"));
  return where(isLong, long, steps);
}

/**
 * Frequencies of the "dynamic" kind: for a text of L tokens, more than the pre-training's M, θ grows by
 * (factor L / M − factor + 1)^(size / (size − 2)).  length: [batch, tokens or 1] -> [batch, 1, tokens or 1, size / 2]
 */
function grownFrequencies(
  length: Value,
  { theta, factor }: { readonly theta: number; readonly factor: number },
  size: number,
  maxTokens: number,
): Value {
  const most = scalar(maxTokens, "int32");
  const longest = cast(where(greater(length, most), length, most), "float32");
  const stretch = add(mul(longest, scalar(factor / maxTokens)), scalar(1 - factor));
  const grown = add(mul(log(stretch), scalar(size / (size - 2))), scalar(Math.log(theta)));
  const exponents = vector(Array.from({ length: size / 2 }, (_, i) => (-2 * i) / size));
  return exp(mul(asAngles(grown), exponents));
}

/** [batch, tokens or 1] -> [batch, 1, tokens or 1, 1] */
const asAngles = (x: Value): Value => reshape(x, [x.shape[0] ?? 1, 1, x.shape[1] ?? 1, 1]);

const vector = (values: readonly number[]): Value => constant(float32([values.length], Float32Array.from(values)));

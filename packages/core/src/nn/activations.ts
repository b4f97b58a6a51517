import { add } from "../graph/ops/add.ts";
import { gelu } from "../graph/ops/gelu.ts";
import { greater } from "../graph/ops/greater.ts";
import { mul } from "../graph/ops/mul.ts";
import { relu } from "../graph/ops/relu.ts";
import { sigmoid } from "../graph/ops/sigmoid.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { where } from "../graph/ops/where.ts";
import { scalar, type Value } from "../graph/value.ts";

const times = (x: Value, factor: number) => mul(x, scalar(factor, x.dtype));

/** GELU's tanh form, x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
function geluTanh(x: Value): Value {
  const cubic = add(x, times(mul(x, mul(x, x)), 0.044715));
  return mul(times(x, 0.5), add(tanh(times(cubic, Math.sqrt(2 / Math.PI))), scalar(1, x.dtype)));
}

/** x σ(x) */
const silu = (x: Value) => mul(x, sigmoid(x));

/** x where positive, 0.01 x elsewhere */
const leakyRelu = (x: Value) => where(greater(x, scalar(0, x.dtype)), x, times(x, 0.01));

/** The activations by the names that configurations use. */
export const activations = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
  silu,
  swish: silu,
  tanh,
  leakyrelu: leakyRelu,
} as const;

export type Activation = keyof typeof activations;
export const activationNames = Object.keys(activations).filter((name): name is Activation => name in activations);

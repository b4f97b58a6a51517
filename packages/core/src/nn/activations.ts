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

/** GELU by a logistic function, x σ(1.702 x) (Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2). */
const quickGelu = (x: Value) => mul(x, sigmoid(times(x, 1.702)));

/** x where positive, 0.01 x elsewhere */
const leakyRelu = (x: Value) => where(greater(x, scalar(0, x.dtype)), x, times(x, 0.01));

/** The activations by the names that configurations use. */
export const activations = {
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  relu,
  silu,
  swish: silu,
  sigmoid,
  tanh,
  leaky_relu: leakyRelu,
  leakyrelu: leakyRelu,
} as const;

export type Activation = keyof typeof activations;
export const activationNames = Object.keys(activations).filter((name): name is Activation => name in activations);

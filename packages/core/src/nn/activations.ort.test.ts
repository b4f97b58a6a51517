import { expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { input } from "../graph/value.ts";
import { runOnce } from "../runtime/native.fake.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { type Activation, activationNames, activations } from "./activations.ts";

const xs = Float32Array.of(-3, -1, -0.25, 0, 0.5, 1, 2.5);

// torch.nn.functional in float64 at these points: gelu, gelu(approximate="tanh"), x·sigmoid(1.702 x), silu, leaky_relu
const exact = [-0.004049694095, -0.158655253931, -0.100323418579, 0, 0.345731230637, 0.841344746069, 2.484475836686];
const byTanh = [-0.003637392082, -0.158808009392, -0.100324649298, 0, 0.345714009825, 0.841191990608, 2.48491573391];
const quick = [-0.018071309708, -0.154204234067, -0.0988003501, 0, 0.350388436606, 0.845795765933, 2.465013834951];
const smooth = [-0.142277619533, -0.26894142137, -0.109455874779, 0, 0.311229665601, 0.73105857863, 2.310354549947];
const leaky = [-0.03, -0.01, -0.0025, 0, 0.5, 1, 2.5];

const wanted: Partial<Record<Activation, readonly number[]>> = {
  gelu: exact,
  gelu_python: exact,
  gelu_new: byTanh,
  gelu_fast: byTanh,
  gelu_pytorch_tanh: byTanh,
  quick_gelu: quick,
  silu: smooth,
  swish: smooth,
  leaky_relu: leaky,
  leakyrelu: leaky,
  relu: Array.from(xs, (x) => Math.max(x, 0)),
  tanh: Array.from(xs, Math.tanh),
  sigmoid: Array.from(xs, (x) => 1 / (1 + Math.exp(-x))),
};

test.each(activationNames)("%s is torch's, and its gradient is its slope", async (name) => {
  const x = input("x", "float32", [xs.length]);
  const y = activations[name](x);
  const at = async (shift: number) => {
    const fed = {
      x: float32(
        [xs.length],
        xs.map((value) => value + shift),
      ),
    };
    return runOnce({ y, slope: gradients(y, [x])[0] ?? x }, fed);
  };
  const [here, left, right] = [await at(0), await at(-1e-2), await at(1e-2)];
  for (const [i, value] of (wanted[name] ?? []).entries()) {
    expect(Number(here.y?.data[i])).toBeCloseTo(value, 5); // float32
    if (xs[i] === 0) continue; // where ReLU has a corner
    const slope = (Number(right.y?.data[i]) - Number(left.y?.data[i])) / 2e-2;
    expect(Number(here.slope?.data[i])).toBeCloseTo(slope, 3); // differences over 0.02 in float32
  }
  expect(wanted[name]).toHaveLength(xs.length);
});

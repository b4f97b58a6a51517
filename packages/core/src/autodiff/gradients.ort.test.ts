import { describe, expect, test } from "vitest";
import { add } from "../graph/ops/add.ts";
import { div } from "../graph/ops/div.ts";
import { exp } from "../graph/ops/exp.ts";
import { gatherElements } from "../graph/ops/gather-elements.ts";
import { log } from "../graph/ops/log.ts";
import { logSoftmax } from "../graph/ops/log-softmax.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { mul } from "../graph/ops/mul.ts";
import { neg } from "../graph/ops/neg.ts";
import { reduceMean } from "../graph/ops/reduce-mean.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { softmax } from "../graph/ops/softmax.ts";
import { sqrt } from "../graph/ops/sqrt.ts";
import { sub } from "../graph/ops/sub.ts";
import { tanh } from "../graph/ops/tanh.ts";
import { transpose } from "../graph/ops/transpose.ts";
import { input, scalar, type Value } from "../graph/value.ts";
import { activationNames, activations } from "../nn/activations.ts";
import { numbers, runOnce } from "../runtime/native.fake.ts";
import type { Tensors } from "../runtime/session.ts";
import { type HostTensor, sizeOf } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { lengthUnder, type Shape } from "../tensor/shape.ts";
import { gradientError } from "./central-differences.fake.ts";
import { gradients } from "./gradients.ts";

const symbols = new Map([
  ["batch", 2],
  ["tokens", 3],
]);
const total = (y: Value) =>
  reduceSum(
    y,
    y.shape.map((_, axis) => axis),
  );

function feeds(values: readonly Value[]): Tensors {
  const stream = random(3, "gradients");
  return Object.fromEntries(
    values.flatMap(({ dtype, shape, source }): [string, HostTensor][] => {
      if (source.kind !== "input") return [];
      const lengths = shape.map((dim) => lengthUnder(dim, symbols)!);
      const drawn = Array.from({ length: sizeOf(lengths) }, () => stream.normal() * 0.7);
      const tensor: HostTensor =
        dtype === "float64"
          ? { dtype, shape: lengths, data: Float64Array.from(drawn) }
          : { dtype: "float32", shape: lengths, data: Float32Array.from(drawn) };
      return [[source.name, tensor]];
    }),
  );
}

const f64 = (name: string, shape: Shape) => input(name, "float64", shape);
const [x, z] = [f64("x", ["batch", "tokens", 4]), f64("z", ["batch", "tokens", 4])];
const [W, V] = [f64("W", [4, 4]), f64("V", [4, 4])];
const [gamma, beta] = [f64("gamma", [4]), f64("beta", [4])];

/** x̂ γ + β from its parts, each used several times. */
function layerNormOfParts(value: Value): Value {
  const centred = sub(value, reduceMean(value));
  const variance = reduceMean(mul(centred, centred));
  return add(mul(div(centred, sqrt(add(variance, scalar(0.1, "float64")))), gamma), beta);
}

function attention(value: Value): Value {
  const heads = (y: Value) => transpose(reshape(y, ["batch", "tokens", 2, 2]), [0, 2, 1, 3]);
  const [query, key, content] = [heads(matmul(value, W)), heads(matmul(value, V, { transB: true })), heads(value)];
  const mixed = matmul(softmax(matmul(query, key, { transB: true, alpha: 0.5 })), content);
  return reshape(transpose(mixed, [0, 2, 1, 3]), ["batch", "tokens", 4]);
}

/** −ln softmax(y)[label], averaged by hand. */
function crossEntropy(logits: Value): Value {
  const label = input("label", "int32", ["batch", 1]);
  return neg(gatherElements(logSoftmax(reshape(slice(logits, 1, 0, 1), ["batch", 4])), label));
}
const label: HostTensor = { dtype: "int32", shape: [2, 1], data: Int32Array.of(3, 1) };

describe("gradients of composed functions agree with central differences", () => {
  const composed: Readonly<Record<string, readonly [Value, readonly Value[]]>> = {
    "a value used by three": [mul(add(x, tanh(x)), exp(x)), [x]],
    "a sum of a value with itself": [mul(add(x, x), z), [x, z]],
    "layer norm of its parts": [mul(layerNormOfParts(x), z), [x, z, gamma, beta]],
    attention: [tanh(attention(x)), [x, W, V]],
    "a block: attention, residual sum, layer norm, classifier, cross-entropy": [
      crossEntropy(matmul(tanh(layerNormOfParts(add(attention(x), x))), W)),
      [x, W, V, gamma, beta],
    ],
    "log of a sum of exponentials": [log(reduceSum(exp(x), [-1])), [x]],
  };
  for (const [name, [y, wrt]] of Object.entries(composed)) {
    // float64: ε² times third derivatives of some tens, and 1e-16 / ε of rounding
    test(name, async () => {
      const fed = { ...feeds([x, z, W, V, gamma, beta]), label };
      expect(await gradientError(total(y), wrt, fed, 1e-5)).toBeLessThan(1e-7);
    });
  }
});

describe("gradients of activations agree with central differences", () => {
  test.each(activationNames)("%s", async (name) => {
    const value = input("x", "float32", ["batch", "tokens", 2]);
    const data = Float32Array.of(-3, -1.2, -0.7, -0.4, -0.1, 0.05, 0.1, 0.3, 0.6, 1.1, 1.8, 3);
    const fed: Tensors = { x: { dtype: "float32", shape: [2, 3, 2], data } };
    // float32, because erf's kernel has no float64: 1e-7 of a loss of about 10, over ε
    expect(await gradientError(total(activations[name](value)), [value], fed, 1e-2)).toBeLessThan(1e-3);
  });
});

test("cross-entropy's gradient is softmax − one-hot, to the last digits", async () => {
  const y = f64("y", ["batch", "tokens", 4]);
  const loss = total(crossEntropy(y));
  const fed = { ...feeds([y]), label };
  const p = softmax(reshape(slice(y, 1, 0, 1), ["batch", 4]));
  const computed = await runOnce({ dy: gradients(loss, [y])[0]!, p }, fed);
  const [dy, probabilities] = [numbers(computed.dy!), numbers(computed.p!)];
  for (const row of [0, 1]) {
    for (const token of [0, 1, 2]) {
      for (const k of [0, 1, 2, 3]) {
        const wanted = token > 0 ? 0 : probabilities[row * 4 + k]! - (label.data[row] === k ? 1 : 0);
        expect(dy[(row * 3 + token) * 4 + k]).toBeCloseTo(wanted, 14); // both are sums of four float64
      }
    }
  }
});

test("a second derivative is the gradient of a gradient", async () => {
  const slope = gradients(total(mul(exp(x), tanh(z))), [x])[0]!;
  const fed = feeds([x, z]);
  expect(await gradientError(total(mul(slope, z)), [x, z], fed, 1e-5)).toBeLessThan(1e-7);
});

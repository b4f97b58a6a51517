import { quantizeBlocks } from "../tensor/block-quantization.ts";
import type { DType } from "../tensor/dtype.ts";
import { float32 } from "../tensor/host-tensor.ts";
import { type Dim, plus, type Shape, times } from "../tensor/shape.ts";
import { add } from "./ops/add.ts";
import { cast } from "./ops/cast.ts";
import { concat } from "./ops/concat.ts";
import { cos } from "./ops/cos.ts";
import { cumSum } from "./ops/cum-sum.ts";
import { fromBlocks } from "./ops/dequantize-linear.ts";
import { div } from "./ops/div.ts";
import { equal } from "./ops/equal.ts";
import { erf } from "./ops/erf.ts";
import { exp } from "./ops/exp.ts";
import { expand } from "./ops/expand.ts";
import { gather } from "./ops/gather.ts";
import { gatherElements } from "./ops/gather-elements.ts";
import { gelu } from "./ops/gelu.ts";
import { greater } from "./ops/greater.ts";
import { detach } from "./ops/identity.ts";
import { layerNormalization } from "./ops/layer-normalization.ts";
import { log } from "./ops/log.ts";
import { logSoftmax } from "./ops/log-softmax.ts";
import { MatMul } from "./ops/mat-mul.ts";
import { matmulNBits } from "./ops/mat-mul-n-bits.ts";
import { matmul } from "./ops/matmul.ts";
import { mod } from "./ops/mod.ts";
import { mul } from "./ops/mul.ts";
import { neg } from "./ops/neg.ts";
import { not } from "./ops/not.ts";
import { pad } from "./ops/pad.ts";
import { largest } from "./ops/reduce-max.ts";
import { reduceMean } from "./ops/reduce-mean.ts";
import { reduceSum } from "./ops/reduce-sum.ts";
import { relu } from "./ops/relu.ts";
import { reshape } from "./ops/reshape.ts";
import { ofEachChunk, sumOverChunks } from "./ops/scan.ts";
import { scatterElements } from "./ops/scatter-elements.ts";
import { scatterNd } from "./ops/scatter-nd.ts";
import { sigmoid } from "./ops/sigmoid.ts";
import { rmsNormalization } from "./ops/simplified-layer-normalization.ts";
import { sin } from "./ops/sin.ts";
import { slice } from "./ops/slice.ts";
import { softmax } from "./ops/softmax.ts";
import { sqrt } from "./ops/sqrt.ts";
import { sub } from "./ops/sub.ts";
import { tanh } from "./ops/tanh.ts";
import { transpose } from "./ops/transpose.ts";
import { where } from "./ops/where.ts";
import { constant, input, scalar, type Value } from "./value.ts";

/** One use of an operator: symbolic lengths throughout, so that it can be built static too. */
export interface OperatorCase {
  /** float operands, differentiated */
  readonly operands: readonly Shape[];
  /** integer operands, each below the given number */
  readonly integers?: readonly { readonly shape: Shape; readonly below: number; readonly dtype?: "int32" | "int64" }[];
  readonly build: (x: readonly [Value, Value, Value], i: readonly [Value], at: (dim: Dim) => Dim) => Value;
  /** where the function's domain ends at 0 */
  readonly positive?: boolean;
}

/** What a test knows of an operator: cases of its gradient, or why it has none and a case of its value. */
export interface OperatorCases {
  readonly cases: readonly OperatorCase[];
  /** why it has no gradient; left out where it is differentiable */
  readonly noGradient?: string;
  /** float32 where ONNX Runtime's kernel knows no float64 */
  readonly dtype?: Extract<DType, "float32">;
}

const full: Shape = ["batch", "tokens", 2];
const b = "batch";
const t = "tokens";

const unary = (build: (x: Value) => Value, positive = false): readonly OperatorCase[] => [
  { operands: [full], build: ([x]) => build(x), positive },
];

/** Equal shapes, a stretched axis on either side, a missing axis, a scalar. */
const binary = (build: (a: Value, b: Value) => Value, positive = false): readonly OperatorCase[] =>
  [
    [full, full],
    [full, [1, t, 1]],
    [[b, 1, 2], full],
    [full, [2]],
    [[], full],
    [
      [b, 1, 1],
      [t, 2],
    ],
  ].map((operands): OperatorCase => ({ operands, build: ([x, y]) => build(x, y), positive }));

/** A matrix [3, 64] in blocks of 16, whose weights are a few hundredths apart. */
export function inBlocks(bits: 4 | 8): Value {
  const weights = Float32Array.from({ length: 3 * 64 }, (_, at) => ((at * 37) % 101) / 500 - 0.1);
  const { packed, scales, zeroPoints } = quantizeBlocks(weights, 64, { bits, blockSize: 16 });
  const numbers = (shape: readonly number[], data: Uint8Array) =>
    constant(bits === 4 ? { dtype: "uint4", shape, data } : { dtype: "uint8", shape, data });
  return fromBlocks(numbers([3, 64], packed), constant(float32([3, 4], scales)), numbers([3, 4], zeroPoints));
}

const comparison = "its output is a truth value";

export const operatorCases: Readonly<Record<string, OperatorCases>> = {
  Add: { cases: binary(add) },
  Sub: { cases: binary(sub) },
  Mul: { cases: binary(mul) },
  Div: { cases: binary(div, true) },
  Neg: { cases: unary(neg) },
  Exp: { cases: unary(exp) },
  Log: { cases: unary(log, true) },
  Sqrt: { cases: unary(sqrt, true) },
  Sin: { cases: unary(sin) },
  Cos: { cases: unary(cos) },
  Tanh: { cases: unary(tanh) },
  Sigmoid: { cases: unary(sigmoid) },
  Relu: { cases: unary(relu) },
  Erf: { cases: unary(erf), dtype: "float32" },
  Gelu: { cases: unary(gelu), dtype: "float32" },
  Softmax: { cases: unary(softmax) },
  LogSoftmax: { cases: unary(logSoftmax) },
  Cast: { cases: unary((x) => cast(cast(x, "float32"), "float64")), dtype: "float32" },
  LayerNormalization: {
    cases: [
      { operands: [[b, t, 4], [4], [4]], build: ([x, gamma, beta]) => layerNormalization(x, gamma, beta, 0.1) },
      { operands: [[t, 4], [4], [4]], build: ([x, gamma, beta]) => layerNormalization(x, gamma, beta, 1e-5) },
    ],
    dtype: "float32",
  },
  SimplifiedLayerNormalization: {
    cases: [
      { operands: [[b, t, 4], [4]], build: ([x, gamma]) => rmsNormalization(x, gamma, 0.1) },
      { operands: [[t, 4], [4]], build: ([x, gamma]) => rmsNormalization(x, gamma, 1e-5) },
    ],
    dtype: "float32",
  },
  FusedMatMul: {
    cases: [
      ...[false, true].flatMap((transA) =>
        [false, true].flatMap((transB): OperatorCase[] => [
          // both batched; an operand shared by the batch on either side; two leading axes, one stretched
          {
            operands: [transA ? [b, 2, t] : [b, t, 2], transB ? [b, 3, 2] : [b, 2, 3]],
            build: ([x, y]) => matmul(x, y, { transA, transB, alpha: 0.5 }),
          },
          {
            operands: [transA ? [b, 2, t] : [b, t, 2], transB ? [3, 2] : [2, 3]],
            build: ([x, y]) => matmul(x, y, { transA, transB }),
          },
          {
            operands: [transA ? [t, 3] : [3, t], transB ? [b, 2, t] : [b, t, 2]],
            build: ([x, y]) => matmul(x, y, { transA, transB, alpha: 2 }),
          },
          {
            operands: [transA ? [b, 1, t, 2] : [b, 1, 2, t], transB ? [b, 2, 2, t] : [b, 2, t, 2]],
            build: ([x, y]) => matmul(x, y, { transA, transB }),
          },
          // three leading axes, one stretched: grouped-query attention
          {
            operands: [transA ? [b, 2, 2, 3, t] : [b, 2, 2, t, 3], transB ? [b, 2, 1, t, 3] : [b, 2, 1, 3, t]],
            build: ([x, y]) => matmul(x, y, { transA, transB }),
          },
          // rows in front of the leading axes, of which one is stretched
          {
            operands: [transA ? [b, 2, 2, 3, t] : [b, 2, 2, t, 3], transB ? [t, b, 2, 1, 3] : [3, b, 2, 1, t]],
            build: ([x, y]) => matmul(x, y, { transA, transB, transBatchB: true, alpha: 0.5 }),
          },
          {
            operands: [transA ? [b, 2, t] : [b, t, 2], transB ? [3, b, 2] : [2, b, 3]],
            build: ([x, y]) => matmul(x, y, { transA, transB, transBatchB: true }),
          },
        ]),
      ),
    ],
  },
  Reshape: {
    cases: [
      { operands: [full], build: ([x], _, at) => reshape(x, [at(times(b, t)), 2]) },
      { operands: [full], build: ([x], _, at) => reshape(x, [2, at(t), at(b)]) },
    ],
  },
  Transpose: {
    cases: [
      { operands: [full], build: ([x]) => transpose(x, [2, 0, 1]) },
      { operands: [full], build: ([x]) => transpose(x, [0, 2, 1]) },
    ],
  },
  Expand: {
    cases: [
      { operands: [[1, t, 1]], build: ([x], _, at) => expand(x, [at(b), at(t), 2]) },
      { operands: [[t, 1]], build: ([x], _, at) => expand(x, [2, at(t), at(b)]) },
      { operands: [[]], build: ([x], _, at) => expand(x, [at(b), 2]) },
    ],
  },
  Concat: {
    cases: [
      { operands: [full, [b, 2, 2], full], build: ([x, y, z]) => concat([x, y, z], 1) },
      {
        operands: [
          [t, 1],
          [t, 3],
        ],
        build: ([x, y]) => concat([x, y], -1),
      },
    ],
  },
  Slice: {
    cases: [
      { operands: [full], build: ([x]) => slice(x, 1, 0, 1) },
      { operands: [full], build: ([x], _, at) => slice(x, 1, 1, at(t)) },
      { operands: [[plus(t, 2), 2]], build: ([x], _, at) => slice(x, 0, 1, at(plus(t, 1))) },
    ],
  },
  Pad: {
    cases: [
      { operands: [full], build: ([x]) => pad(x, 2, 1, 2) },
      { operands: [full], build: ([x], _, at) => pad(x, 1, at(b), at(plus(t, -1))) },
    ],
  },
  CumSum: {
    cases: [
      { operands: [full], build: ([x]) => cumSum(x, 1) },
      { operands: [full], build: ([x]) => cumSum(x, 0) },
    ],
  },
  ReduceSum: {
    cases: [
      { operands: [full], build: ([x]) => reduceSum(x, [1]) },
      { operands: [full], build: ([x]) => reduceSum(x, [0, -1]) },
    ],
  },
  ReduceMean: { cases: [{ operands: [[b, t, 3]], build: ([x]) => reduceMean(x) }] },
  Where: {
    cases: [
      { operands: [full, full], build: ([x, y]) => where(greater(x, y), x, y) },
      { operands: [[b, 1, 1], [t, 2], full], build: ([x, y, z]) => where(greater(z, y), x, y) },
      { operands: [full, []], build: ([x, y]) => where(greater(x, mul(x, x)), y, x) },
    ],
  },
  Gather: {
    // more ids than rows, so that rows receive the gradients of several ids
    cases: [
      { operands: [[3, 2]], integers: [{ shape: [b, t], below: 3 }], build: ([x], [i]) => gather(x, i) },
      { operands: [[t]], integers: [{ shape: [5], below: 3, dtype: "int64" }], build: ([x], [i]) => gather(x, i) },
    ],
  },
  GatherElements: {
    cases: [
      { operands: [[b, t, 3]], integers: [{ shape: [b, t, 1], below: 3 }], build: ([x], [i]) => gatherElements(x, i) },
      { operands: [[b, 2]], integers: [{ shape: [b, 5], below: 2 }], build: ([x], [i]) => gatherElements(x, i) },
    ],
  },
  Scan: {
    // Σ over chunks of tanh(Σ chunk ⊙ w), whose derivatives the body computes itself
    cases: [
      {
        operands: [[b, t, 2], [2]],
        build: ([x, w]) => {
          const chunk = input("chunk", x.dtype, x.shape.slice(1));
          const value = tanh(reduceSum(mul(chunk, w), [0, 1]));
          const slope = sub(scalar(1, x.dtype), mul(value, value));
          const byW = reshape(reduceSum(mul(chunk, slope), [0]), [2]);
          const slopes = new Map([
            [chunk, mul(expand(w, chunk.shape), slope)],
            [w, byW],
          ]);
          return sumOverChunks({ chunked: [[x, chunk]], sum: reshape(value, []), slopes }).sum;
        },
      },
      {
        // tanh(chunk ⊙ w) of each chunk, whose derivatives a second Scan computes
        operands: [[b, t, 2], [2]],
        build: ([x, w]) => {
          const chunk = input("chunk", x.dtype, x.shape.slice(1));
          return ofEachChunk([[x, chunk]], tanh(mul(chunk, w)));
        },
      },
    ],
  },
  ScatterElements: {
    cases: [
      {
        operands: [
          [b, 2],
          [b, 5],
        ],
        integers: [{ shape: [b, 5], below: 2 }],
        build: ([x, updates], [i]) => scatterElements(x, i, updates),
      },
    ],
  },
  ScatterND: {
    cases: [
      {
        operands: [
          [3, 2],
          [b, t, 2],
        ],
        integers: [{ shape: [b, t, 1], below: 3 }],
        build: ([table, updates], [i]) => scatterNd(table, i, updates),
      },
    ],
  },
  DequantizeLinear: {
    cases: [4, 8].map((bits) => ({ operands: [], build: () => inBlocks(bits === 4 ? 4 : 8) })),
    dtype: "float32",
    noGradient: "what is held in blocks is frozen",
  },
  MatMul: {
    cases: [
      {
        operands: [
          [b, t, 4],
          [4, 2],
        ],
        build: ([x, w]) => MatMul.of([x, w], {}),
      },
    ],
  },
  ReduceMax: {
    noGradient: "it only shifts what exponentials are taken of, which changes nothing",
    cases: [{ operands: [[b, t, 4]], build: ([x]) => largest(x) }],
  },
  MatMulNBits: {
    cases: [
      [b, t, 64],
      [t, 64],
    ].map((shape) => ({
      operands: [shape],
      build: ([x]) => matmulNBits(x, inBlocks(4)) ?? x,
    })),
    dtype: "float32",
  },
  Identity: { cases: unary(detach), noGradient: "it exists to stop gradients" },
  Greater: { cases: binary(greater), noGradient: comparison },
  Equal: { cases: binary(equal), noGradient: comparison },
  Not: { cases: unary((x) => not(greater(x, x))), noGradient: comparison },
  Mod: {
    cases: [{ operands: [], integers: [{ shape: full, below: 9 }], build: (_, [i]) => mod(i, scalar(4, "int32")) }],
    noGradient: "it takes integers only",
  },
};

import type { Operator } from "./operator.ts";
import { Add } from "./ops/add.ts";
import { Cast } from "./ops/cast.ts";
import { Concat } from "./ops/concat.ts";
import { Cos } from "./ops/cos.ts";
import { CumSum } from "./ops/cum-sum.ts";
import { DequantizeLinear } from "./ops/dequantize-linear.ts";
import { Div } from "./ops/div.ts";
import { Equal } from "./ops/equal.ts";
import { Erf } from "./ops/erf.ts";
import { Exp } from "./ops/exp.ts";
import { Expand } from "./ops/expand.ts";
import { Gather } from "./ops/gather.ts";
import { GatherElements } from "./ops/gather-elements.ts";
import { Gelu } from "./ops/gelu.ts";
import { Greater } from "./ops/greater.ts";
import { Identity } from "./ops/identity.ts";
import { LayerNormalization } from "./ops/layer-normalization.ts";
import { Log } from "./ops/log.ts";
import { LogSoftmax } from "./ops/log-softmax.ts";
import { MatMul } from "./ops/mat-mul.ts";
import { MatMulNBits } from "./ops/mat-mul-n-bits.ts";
import { FusedMatMul } from "./ops/matmul.ts";
import { Mod } from "./ops/mod.ts";
import { Mul } from "./ops/mul.ts";
import { Neg } from "./ops/neg.ts";
import { Not } from "./ops/not.ts";
import { Pad } from "./ops/pad.ts";
import { ReduceMax } from "./ops/reduce-max.ts";
import { ReduceMean } from "./ops/reduce-mean.ts";
import { ReduceSum } from "./ops/reduce-sum.ts";
import { Relu } from "./ops/relu.ts";
import { Reshape } from "./ops/reshape.ts";
import { Scan } from "./ops/scan.ts";
import { ScatterElements } from "./ops/scatter-elements.ts";
import { ScatterND } from "./ops/scatter-nd.ts";
import { Sigmoid } from "./ops/sigmoid.ts";
import { SimplifiedLayerNormalization } from "./ops/simplified-layer-normalization.ts";
import { Sin } from "./ops/sin.ts";
import { Slice } from "./ops/slice.ts";
import { Softmax } from "./ops/softmax.ts";
import { Sqrt } from "./ops/sqrt.ts";
import { Sub } from "./ops/sub.ts";
import { Tanh } from "./ops/tanh.ts";
import { Transpose } from "./ops/transpose.ts";
import { Where } from "./ops/where.ts";

/** Every operator that a graph may hold: one file in graph/ops, one line here. */
export const operators: readonly Operator[] = [
  Add,
  Cast,
  Concat,
  Cos,
  CumSum,
  DequantizeLinear,
  Div,
  Equal,
  Erf,
  Exp,
  Expand,
  GatherElements,
  Gather,
  Gelu,
  Greater,
  Identity,
  LayerNormalization,
  LogSoftmax,
  Log,
  FusedMatMul,
  MatMul,
  MatMulNBits,
  Mod,
  Mul,
  Neg,
  Not,
  Pad,
  ReduceMax,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Scan,
  ScatterElements,
  ScatterND,
  Sigmoid,
  SimplifiedLayerNormalization,
  Sin,
  Slice,
  Softmax,
  Sqrt,
  Sub,
  Tanh,
  Transpose,
  Where,
];

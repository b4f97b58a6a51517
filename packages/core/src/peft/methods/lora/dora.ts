import { add } from "../../../graph/ops/add.ts";
import { div } from "../../../graph/ops/div.ts";
import { detach } from "../../../graph/ops/identity.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { reduceSum } from "../../../graph/ops/reduce-sum.ts";
import { reshape } from "../../../graph/ops/reshape.ts";
import { sqrt } from "../../../graph/ops/sqrt.ts";
import type { Value } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { type AdapterScope, defineMethod } from "../../method.ts";
import type { Initializer } from "../../parameter.ts";
import { isUpdated } from "../../targets.ts";
import {
  type Factors,
  factors,
  lowRankFields,
  lowRankOptions,
  readLowRank,
  scaleInB,
  update,
  widestRank,
  writeLowRank,
} from "./low-rank.ts";

/**
 * DoRA: y = b + (m / ‖V‖) ⊙ V x with V = W + scale · B A, its rows' lengths ‖V‖ and magnitudes m: [out].
 * m starts as ‖W‖ and B as zero, so the adapted model starts as the base model up to rounding.
 * As in the paper's section 4.3, ‖V‖ is taken as given in the backward pass.  Merged: W' = (m / ‖V‖) V.
 */
export const dora = defineMethod({
  name: "dora",
  summary: "LoRA on the direction of each weight row, with the row's length trained apart",
  source: "Liu et al. 2024, arXiv:2402.09353, section 4",
  start: "base",
  rate: 5e-4,
  apart: "a row without it would be the base's up to rounding only",
  size: { option: "rank", limit: "shortest side" },
  options: lowRankOptions,
  linear: {
    targets: isUpdated,
    apply({ x, weight, bias, ...site }, scope, options) {
      const low = factors(scope, site, options);
      const dropped = scope.dropout(x, options.dropout);
      const lengths = low.A.shape.length === 2 ? rowLengths(add(weight, update(low))) : lengthsOfRows(weight, low);
      const ratio = div(magnitude(scope, site), detach(lengths));
      const y = mul(add(project(dropped, weight), project(project(dropped, low.A), low.B, low.scale)), ratio);
      return bias ? add(y, bias) : y;
    },
    merge({ weight, bias, ...site }, scope, options) {
      const direction = add(weight, update(factors(scope, site, options)));
      const ratio = div(magnitude(scope, site), rowLengths(direction));
      return { weight: mul(direction, reshape(ratio, [site.outSize, 1])), bias };
    },
  },
  joins: {
    alike: () => ({}),
    widest: (all) => widestRank(all),
    factor: (tensor, options) => scaleInB(tensor, options),
  },
  peft: {
    type: "LORA",
    fields: lowRankFields,
    adaptedBiases: "lora_only",
    excludes: true,
    read(config) {
      const { dora: isDora, options } = readLowRank(config);
      return isDora ? options : undefined;
    },
    write: (options, model) => ({ ...writeLowRank(options, model), use_dora: true }),
  },
});

type Layer = Pick<LinearSite, "path" | "outSize" | "transposed">;

const magnitude = (scope: AdapterScope, { path, outSize, transposed }: Layer) =>
  scope.parameter("lora_magnitude_vector", [outSize], lengthsOf(`${path}.weight`, transposed));

/** ‖V‖: the Euclidean length of each row.  [out, in] -> [out] */
const rowLengths = (V: Value): Value => reshape(sqrt(reduceSum(mul(V, V), [1])), [V.shape[0] ?? 1]);

/**
 * The same of V = W + scale · B A of each row of the batch, without V: ‖w‖² + scale · b (2 A w + scale · A Aᵀ b) for a row w
 * of W and the row b of B.  W: [out, in], A: [batch, rank, in], B: [batch, out, rank] -> [batch, 1, out]
 */
function lengthsOfRows(W: Value, { A, B, scale }: Factors): Value {
  const inner = matmul(W, A, { transB: true, alpha: 2 * scale });
  const outer = matmul(B, matmul(A, A, { transB: true }), { alpha: scale * scale });
  const change = reduceSum(mul(B, add(inner, outer)), [-1]);
  const [batch = 1, outSize = 1] = change.shape;
  return reshape(sqrt(add(change, reduceSum(mul(W, W), [1]))), [batch, 1, outSize]);
}

/** The lengths of a tensor's rows, or of its columns where the checkpoint keeps it transposed. */
const lengthsOf =
  (tensor: string, transposed: boolean): Initializer =>
  async ({ read, shape: [outSize = 1] }) => {
    const weight = await read(tensor);
    const inSize = weight.length / outSize;
    const at = (row: number, column: number) => (transposed ? column * outSize + row : row * inSize + column);
    return Float32Array.from({ length: outSize }, (_, row) => {
      let sum = 0;
      for (let column = 0; column < inSize; column++) sum += (weight[at(row, column)] ?? 0) ** 2;
      return Math.sqrt(sum);
    });
  };

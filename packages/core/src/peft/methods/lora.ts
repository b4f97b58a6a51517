import { add } from "../../graph/ops/add.ts";
import { gather } from "../../graph/ops/gather.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { mul } from "../../graph/ops/mul.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import { scalar } from "../../graph/value.ts";
import { project } from "../../nn/linear.ts";
import {
  factors,
  isLowRankTarget,
  type LowRank,
  lowRankOptions,
  rankAndScale,
  readLowRank,
  update,
  writeLowRank,
} from "../low-rank.ts";
import { type AdapterScope, defineMethod } from "../method.ts";
import { normal, zeros } from "../parameter.ts";
import { isTarget } from "../targets.ts";

/**
 * LoRA: y = W x + b + scale · B (A x), W and b frozen, A: [rank, in], B: [out, rank], scale = alpha / rank.
 * B starts at zero, so the adapted model starts as the base model.  Merged: W' = W + scale · B A.
 * An embedding, where targeted: y = E[id] + scale · B A[:, id], A: [rank, rows] zero, B: [size, rank] normal.
 */
export const lora = defineMethod({
  name: "lora",
  summary: "adds an update of low rank, B A, to the weights of chosen linear layers",
  source: "Hu et al. 2021, arXiv:2106.09685, section 4.1",
  start: "base",
  rate: 5e-4,
  options: lowRankOptions,
  targetsLinear: isLowRankTarget,
  linear({ x, y, inSize, outSize, path }, scope, options) {
    const { A, B, scale } = factors(scope, path, inSize, outSize, options);
    const low = project(scope.dropout(x, options.dropout), A);
    return add(y, matmul(low, B, { transB: true, alpha: scale })); // (x A) B: never the in × out product
  },
  merge({ weight, bias, inSize, outSize, path }, scope, options) {
    return { weight: add(weight, update(factors(scope, path, inSize, outSize, options))), bias };
  },
  targetsEmbedding: (place, options) =>
    options.targets !== undefined && options.targets.kind !== "all-linear" && isTarget(place.path, options.targets),
  embedding({ ids, y, rows, size, path }, scope, options) {
    const { A, B, scale } = tableFactors(scope, path, rows, size, options);
    return add(y, matmul(gather(transpose(A, [1, 0]), ids), B, { transB: true, alpha: scale }));
  },
  mergeEmbedding({ weight, rows, size, path }, scope, options) {
    const { A, B, scale } = tableFactors(scope, path, rows, size, options);
    return add(weight, mul(transpose(matmul(B, A), [1, 0]), scalar(scale)));
  },
  peft: {
    type: "LORA",
    read(config) {
      const { dora, options } = readLowRank(config);
      return dora ? undefined : options;
    },
    write: (options, model) => ({ ...writeLowRank(options, model), use_dora: false }),
  },
});

function tableFactors(scope: AdapterScope, path: string, rows: number, size: number, options: LowRank) {
  const { rank, scale } = rankAndScale(path, options);
  const A = scope.parameter("lora_embedding_A", [rank, rows], zeros);
  const B = scope.parameter("lora_embedding_B", [size, rank], normal(1));
  return { A, B, scale };
}

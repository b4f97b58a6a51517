import { add } from "../../../graph/ops/add.ts";
import { gather } from "../../../graph/ops/gather.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { transpose } from "../../../graph/ops/transpose.ts";
import { scalar } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import { choice } from "../../../settings/setting.ts";
import { defineMethod } from "../../method.ts";
import { isTarget, isUpdated } from "../../targets.ts";
import { tableFactors, weightFactors } from "./lora-factors.ts";
import { lowRankFields, lowRankOptions, readLowRank, scaleInB, widestRank, writeLowRank } from "./low-rank.ts";
import { settleStart, sinceStart } from "./since-start.ts";
import { alphaProblems, startNames } from "./starting-factors.ts";

/**
 * LoRA: y = W x + b + scale · B (A x), W and b frozen, A: [rank, in], B: [out, rank], scale = alpha / rank.
 * B starts at zero, so the adapted model starts as the base model.  Merged: W' = W + scale · B A.
 * An embedding, where targeted: y = factor · (E[id] + scale · B A[:, id]), A: [rank, rows] zero, B: [size, rank] normal.
 * Other starts of A and B, and what is added then: see {@link sinceStart}.
 */
export const lora = defineMethod({
  name: "lora",
  summary: "adds an update of low rank, B A, to the weights of chosen linear layers",
  source: "Hu et al. 2021, arXiv:2106.09685, section 4.1",
  start: "base",
  rate: 5e-4,
  size: { option: "rank", limit: "shortest side" },
  options: { ...lowRankOptions, initWeights: choice(startNames, "kaiming", "where A and B start") },
  linear: {
    adds: true,
    targets: isUpdated,
    apply({ x, y, ...site }, scope, options) {
      const dropped = scope.dropout(x, options.dropout);
      const factors = weightFactors(scope, site, options);
      // (x A) B: never the in × out product
      return add(
        y,
        sinceStart(factors, ({ A, B, scale }) => project(project(dropped, A), B, scale)),
      );
    },
    merge({ weight, bias, ...site }, scope, options) {
      const factors = weightFactors(scope, site, options);
      const change = sinceStart(factors, ({ A, B, scale }) => matmul(B, A, { alpha: scale }));
      return { weight: add(weight, change), bias };
    },
  },
  embedding: {
    adds: true,
    targets: ({ path }, { targets }) =>
      targets !== undefined && targets.kind !== "all-linear" && isTarget(path, targets),
    apply({ y, ids, factor, ...site }, scope, options) {
      const factors = tableFactors(scope, site, options);
      const change = sinceStart(factors, ({ A, B, scale }) =>
        project(gather(transpose(A, [1, 0]), ids), B, factor * scale),
      );
      return add(y, change);
    },
    merge({ weight, ...site }, scope, options) {
      const factors = tableFactors(scope, site, options);
      const change = sinceStart(factors, ({ A, B, scale }) => mul(transpose(matmul(B, A), [1, 0]), scalar(scale)));
      return { weight: add(weight, change) };
    },
  },
  optionProblems: ({ initWeights, alpha }) => alphaProblems(initWeights, alpha),
  startsFromData: ({ initWeights }) => initWeights === "eva",
  settle: settleStart,
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
      const { dora, options } = readLowRank(config);
      return dora ? undefined : options;
    },
    write: (options, model) => ({ ...writeLowRank(options, model), use_dora: false }),
  },
});

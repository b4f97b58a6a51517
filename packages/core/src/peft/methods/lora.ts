import { add } from "../../graph/ops/add.ts";
import { gather } from "../../graph/ops/gather.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { mul } from "../../graph/ops/mul.ts";
import { sub } from "../../graph/ops/sub.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import { scalar, type Value } from "../../graph/value.ts";
import { project } from "../../nn/linear.ts";
import type { EmbeddingSite, LinearSite } from "../../nn/sites.ts";
import {
  type Factors,
  isLowRankTarget,
  lowRankOptions,
  rankAndScale,
  readLowRank,
  update,
  writeLowRank,
} from "../low-rank.ts";
import { type AdapterScope, defineMethod } from "../method.ts";
import { choice, type OptionValues } from "../options.ts";
import { normal, zeros } from "../parameter.ts";
import { alphaProblems, startingFactors, startNames, startsFromWeight } from "../starting-factors.ts";
import { isTarget } from "../targets.ts";
import { besideTheirStarts, twiceTheRank } from "../twice-the-rank.ts";

const options = {
  ...lowRankOptions,
  initWeights: choice(startNames, "kaiming", "where A and B start"),
};
type Lora = OptionValues<typeof options>;

/**
 * LoRA: y = W x + b + scale · B (A x), W and b frozen, A: [rank, in], B: [out, rank], scale = alpha / rank.
 * B starts at zero, so the adapted model starts as the base model.  Merged: W' = W + scale · B A.
 * An embedding, where targeted: y = factor · (E[id] + scale · B A[:, id]), A: [rank, rows] zero, B: [size, rank] normal.
 * Where A and B start as a part of W (`initWeights`), their start A₀, B₀ is subtracted, since W is never changed:
 * y = W x + b + scale · (B (A x) − B₀ (A₀ x)). Saved, that is LoRA of twice the rank: [B −B₀] and [A; A₀].
 */
export const lora = defineMethod({
  name: "lora",
  summary: "adds an update of low rank, B A, to the weights of chosen linear layers",
  source: "Hu et al. 2021, arXiv:2106.09685, section 4.1",
  start: "base",
  rate: 5e-4,
  size: { option: "rank", limit: "shortest side" },
  options,
  optionProblems: ({ initWeights, alpha }) => alphaProblems(initWeights, alpha),
  startsFromData: ({ initWeights }) => initWeights === "eva",
  targetsLinear: (place, options) => isLowRankTarget(place, options),
  linear(site, scope, options) {
    const x = scope.dropout(site.x, options.dropout);
    // (x A) B: never the in × out product
    const shift = ({ A, B, scale }: Factors) => matmul(project(x, A), B, { transB: true, alpha: scale });
    return add(site.y, change(weightFactors(scope, site, options), shift));
  },
  merge: (site, scope, options) => ({
    weight: add(site.weight, change(weightFactors(scope, site, options), update)),
    bias: site.bias,
  }),
  targetsEmbedding: (place, options) =>
    options.targets !== undefined && options.targets.kind !== "all-linear" && isTarget(place.path, options.targets),
  embedding(site, scope, options) {
    const shift = ({ A, B, scale }: Factors) =>
      matmul(gather(transpose(A, [1, 0]), site.ids), B, { transB: true, alpha: site.factor * scale });
    return add(site.y, change(tableFactors(scope, site, options), shift));
  },
  mergeEmbedding(site, scope, options) {
    const shift = ({ A, B, scale }: Factors) => mul(transpose(matmul(B, A), [1, 0]), scalar(scale));
    return add(site.weight, change(tableFactors(scope, site, options), shift));
  },
  settle(options, trained) {
    const { initWeights } = options;
    if (initWeights === "eva") return { use: { ...options, initWeights: "kaiming" }, tensors: {} }; // data are not saved
    if (!startsFromWeight(initWeights)) return undefined;
    return { use: { ...twiceTheRank(options), initWeights: "kaiming" }, tensors: besideTheirStarts(trained) };
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

/** The factors as they are trained, and as they were where only what they have changed since then is added. */
interface Change {
  readonly now: Factors;
  readonly start: Factors | undefined;
}

const change = ({ now, start }: Change, shift: (factors: Factors) => Value): Value =>
  start ? sub(shift(now), shift(start)) : shift(now);

type Matrix = Parameters<AdapterScope["parameter"]>;

function changeOf(scope: AdapterScope, A: Matrix, B: Matrix, scale: number, { initWeights }: Lora): Change {
  const now = { A: scope.parameter(...A), B: scope.parameter(...B), scale };
  const start = startsFromWeight(initWeights)
    ? { A: scope.start(A[0], A[1]), B: scope.start(B[0], B[1]), scale }
    : undefined;
  return { now, start };
}

type Layer = Pick<LinearSite, "path" | "inSize" | "outSize" | "transposed">;

function weightFactors(scope: AdapterScope, site: Layer, options: Lora): Change {
  const { rank, scale } = rankAndScale(site.path, options);
  const initial = startingFactors(options.initWeights, { ...site, rank, scale });
  const A: Matrix = ["lora_A.weight", [rank, site.inSize], initial.A];
  const B: Matrix = ["lora_B.weight", [site.outSize, rank], initial.B, { rate: "loraPlus" }];
  return changeOf(scope, A, B, scale, options);
}

function tableFactors(
  scope: AdapterScope,
  { path, rows, size }: Pick<EmbeddingSite, "path" | "rows" | "size">,
  options: Lora,
): Change {
  const { rank, scale } = rankAndScale(path, options);
  const A: Matrix = ["lora_embedding_A", [rank, rows], zeros];
  const B: Matrix = ["lora_embedding_B", [size, rank], normal(1), { rate: "loraPlus" }];
  return changeOf(scope, A, B, scale, options);
}

import { add } from "../../../graph/ops/add.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { reduceSum } from "../../../graph/ops/reduce-sum.ts";
import { sqrt } from "../../../graph/ops/sqrt.ts";
import { sub } from "../../../graph/ops/sub.ts";
import { constant, scalar, type Value } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { count, fraction, natural, real } from "../../../settings/setting.ts";
import { float32 } from "../../../tensor/host-tensor.ts";
import { type AdapterScope, defineMethod } from "../../method.ts";
import { layerList, numberByPattern, type OptionValues, targetModules } from "../../options.ts";
import { normal, zeros } from "../../parameter.ts";
import { byPattern, isUpdated } from "../../targets.ts";
import { adaLoraFields, readAdaLora, writeAdaLora } from "./adalora-config.ts";
import { keptTriplets } from "./kept-triplets.ts";
import { allocateRanks, scheduleProblems } from "./rank-allocation.ts";

const declared = {
  rank: count(8, "width of the updates at the end, on average"),
  initialRank: count(12, "width of each update at the beginning"),
  alpha: real(16, "numerator of the scale"),
  dropout: fraction(0, "dropout on the adapter's input while training"),
  targets: targetModules("linear layers to adapt: names, a regular expression or all-linear"),
  exclude: targetModules("linear layers to leave out, named in the same way", "all"),
  layers: layerList("layers of the stack to adapt: 0,2,4-7, top:K or bottom:K"),
  beginSteps: natural(0, "steps before the first rank is taken away"),
  finalSteps: natural(0, "steps after the last rank is taken away"),
  allocateEvery: count(1, "steps between two allocations of ranks"),
  sensitivityDecay: fraction(0.85, "decay of the mean of sensitivities"),
  uncertaintyDecay: fraction(0.85, "decay of the mean of their changes"),
  orthogonality: real(0.5, "weight of the regulariser that keeps A and B orthogonal"),
  rankPattern: numberByPattern("ranks of their own for layers by the end of their path", "integer from 0"),
};
type AdaLora = OptionValues<typeof declared>;

/**
 * AdaLoRA: y = W x + b + scale · B (E ⊙ (A x)), an update in the form of a singular value decomposition, B: [out, rank],
 * E: [rank, 1], A: [rank, in], scale = alpha / initialRank. E starts at zero, so the adapted model starts as the base.
 * Beside the loss, orthogonality · the mean of ‖A Aᵀ − I‖ and ‖Bᵀ B − I‖ over all layers is minimised. While training,
 * triplets of little importance lose their E (see {@link allocateRanks}).  Merged: W' = W + scale · B (E ⊙ A).
 */
export const adalora = defineMethod({
  name: "adalora",
  summary: "LoRA whose rank is shared out among the layers while training, by importance",
  source: "Zhang et al. 2023, arXiv:2303.10512, sections 3.1 to 3.3",
  start: "base",
  rate: 1e-3,
  size: { option: "initialRank", limit: "shortest side" },
  options: declared,
  memory: 2,
  optionProblems: ({ rankPattern, initialRank }) =>
    Object.entries(rankPattern)
      .filter(([, rank]) => rank > initialRank)
      .map(
        ([path, rank]) =>
          `adalora: rankPattern "${path}" ${rank} is more than the ${initialRank} of initialRank, of which ranks are taken away`,
      ),
  linear: {
    adds: true,
    targets: isUpdated,
    apply({ x, y, ...site }, scope, options) {
      const { A, B, E, scale, rank } = triplets(scope, site, options);
      if (rank === 0) return y; // a layer that PEFT left nothing
      scope.penalize(mul(gapToIdentity(matmul(A, A, { transB: true })), scalar(options.orthogonality)));
      scope.penalize(mul(gapToIdentity(matmul(B, B, { transA: true })), scalar(options.orthogonality)));
      return add(y, project(project(scope.dropout(x, options.dropout), mul(A, E)), B, scale));
    },
    merge({ weight, bias, ...site }, scope, options) {
      const { A, B, E, scale, rank } = triplets(scope, site, options);
      return { weight: rank === 0 ? weight : add(weight, matmul(B, mul(A, E), { alpha: scale })), bias };
    },
  },
  joins: {
    alike: () => ({}),
    widest(all) {
      const initialRank = Math.max(...all.map((options) => options.initialRank));
      return { initialRank, alpha: initialRank + tiny };
    },
    factor: (tensor, options) => (tensor.endsWith(".lora_B") ? scaleOf(options) : 1),
  },
  runProblems: scheduleProblems,
  afterStep: allocateRanks,
  settle(options, { tensors }) {
    const kept = keptTriplets({ tensors });
    if (Object.values(kept.ranks).every((rank) => rank === options.initialRank)) return undefined;
    return { use: { ...options, rankPattern: kept.ranks }, tensors: kept.tensors };
  },
  peft: {
    type: "ADALORA",
    fields: adaLoraFields,
    adaptedBiases: "lora_only",
    excludes: true,
    read: readAdaLora,
    write: writeAdaLora,
  },
});

function triplets(
  scope: AdapterScope,
  { path, inSize, outSize }: Pick<LinearSite, "path" | "inSize" | "outSize">,
  options: AdaLora,
) {
  const rank = byPattern(path, options.rankPattern, options.initialRank);
  const A = scope.parameter("lora_A", [rank, inSize], normal(0.02));
  const B = scope.parameter("lora_B", [outSize, rank], normal(0.02), { rate: "loraPlus" });
  const E = scope.parameter("lora_E", [rank, 1], zeros);
  return { A, B, E, rank, scale: scaleOf(options) };
}

/** PEFT adds it to what it divides by. */
const tiny = 1e-5;
const scaleOf = ({ alpha, initialRank }: AdaLora): number => alpha / (initialRank + tiny);

/** ‖M − I‖: the Frobenius norm, summed over the rows' own.  [rank, rank] or [batch, rank, rank] -> [] */
function gapToIdentity(M: Value): Value {
  const rank = Number(M.shape.at(-1));
  const identity = Float32Array.from({ length: rank * rank }, (_, at) => (at % (rank + 1) === 0 ? 1 : 0));
  const gap = sub(M, constant(float32([rank, rank], identity)));
  const norms = sqrt(reduceSum(mul(gap, gap), [-2, -1]));
  return reduceSum(norms, [...norms.shape.keys()]);
}

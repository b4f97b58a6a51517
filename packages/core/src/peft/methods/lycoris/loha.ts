import { add } from "../../../graph/ops/add.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import type { Value } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { type AdapterScope, defineMethod } from "../../method.ts";
import { kaimingUniform, zeros } from "../../parameter.ts";
import { isUpdated } from "../../targets.ts";
import { rankAndScale } from "../lora/low-rank.ts";
import { type Lycoris, lycorisFields, lycorisOptions, readLycoris, writeLycoris } from "./lycoris.ts";

/**
 * LoHa: y = W x + b + ΔW x, ΔW = scale · (A₁ B₁) ⊙ (A₂ B₂), W and b frozen, A: [out, rank], B: [rank, in], scale = alpha /
 * rank. The product of two matrices of rank r, number by number, has a rank of up to r².
 * B₂ starts at zero, so the adapted model starts as the base model.  Merged: W' = W + ΔW.
 */
export const loha = defineMethod({
  name: "loha",
  summary: "adds the product, number by number, of two updates of low rank to the weights of chosen linear layers",
  source: "Hyeon-Woo et al. 2021, arXiv:2108.06098, section 2.2; as an update: Yeh et al. 2023, arXiv:2309.14859",
  start: "base",
  rate: 1e-3,
  alone: "its update is a matrix as large as the base's, one for every row",
  size: { option: "rank", limit: "shortest side" },
  options: lycorisOptions,
  linear: {
    adds: true,
    targets: isUpdated,
    apply: (site, scope, options) => add(site.y, project(site.x, update(site, scope, options))),
    merge: (site, scope, options) => ({ weight: add(site.weight, update(site, scope, options)), bias: site.bias }),
  },
  peft: { type: "LOHA", fields: lycorisFields, excludes: true, read: readLycoris, write: writeLycoris },
});

/** ΔW: [out, in] */
function update(
  { path, inSize, outSize }: Pick<LinearSite, "path" | "inSize" | "outSize">,
  scope: AdapterScope,
  options: Lycoris,
): Value {
  const { rank, scale } = rankAndScale(path, options);
  const A1 = scope.parameter("hada_w1_a", [outSize, rank], kaimingUniform);
  const B1 = scope.parameter("hada_w1_b", [rank, inSize], kaimingUniform);
  const A2 = scope.parameter("hada_w2_a", [outSize, rank], kaimingUniform);
  const B2 = scope.parameter("hada_w2_b", [rank, inSize], zeros);
  return mul(matmul(A1, B1), matmul(A2, B2, { alpha: scale }));
}

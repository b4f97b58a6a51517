import { add } from "../../../graph/ops/add.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { reshape } from "../../../graph/ops/reshape.ts";
import { transpose } from "../../../graph/ops/transpose.ts";
import type { Value } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { times } from "../../../tensor/shape.ts";
import { type AdapterScope, defineMethod } from "../../method.ts";
import { kaimingUniform, zeros } from "../../parameter.ts";
import { isUpdated } from "../../targets.ts";
import { rankAndScale, widestRank } from "../lora/low-rank.ts";
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
  size: { option: "rank", limit: "shortest side" },
  options: lycorisOptions,
  linear: {
    adds: true,
    targets: isUpdated,
    apply({ x, y, ...site }, scope, options) {
      const own = factors(site, scope, options);
      if (own.A1.shape.length === 2) return add(y, project(x, update(own)));
      // each row's own: never the in × out product, but an update of the rank r²
      const [A, B] = [transpose(products(turned(own.A1), turned(own.A2)), [0, 2, 1]), products(own.B1, own.B2)];
      return add(y, project(project(x, B), A, own.scale));
    },
    merge: ({ weight, bias, ...site }, scope, options) => ({
      weight: add(weight, update(factors(site, scope, options))),
      bias,
    }),
  },
  joins: {
    alike: () => ({}),
    widest: (all) => widestRank(all),
    factor: (tensor, options) =>
      tensor.endsWith(".hada_w2_b") ? rankAndScale(tensor.slice(0, -".hada_w2_b".length), options).scale : 1,
  },
  peft: { type: "LOHA", fields: lycorisFields, excludes: true, read: readLycoris, write: writeLycoris },
});

interface Factors {
  /** [out, rank] */
  readonly A1: Value;
  readonly A2: Value;
  /** [rank, in] */
  readonly B1: Value;
  readonly B2: Value;
  readonly scale: number;
}

function factors(
  { path, inSize, outSize }: Pick<LinearSite, "path" | "inSize" | "outSize">,
  scope: AdapterScope,
  options: Lycoris,
): Factors {
  const { rank, scale } = rankAndScale(path, options);
  const A1 = scope.parameter("hada_w1_a", [outSize, rank], kaimingUniform);
  const B1 = scope.parameter("hada_w1_b", [rank, inSize], kaimingUniform);
  const A2 = scope.parameter("hada_w2_a", [outSize, rank], kaimingUniform);
  const B2 = scope.parameter("hada_w2_b", [rank, inSize], zeros);
  return { A1, A2, B1, B2, scale };
}

/** ΔW: [out, in] */
const update = ({ A1, A2, B1, B2, scale }: Factors): Value => mul(matmul(A1, B1), matmul(A2, B2, { alpha: scale }));

/** The products, number by number, of each row of one matrix with each of another.  [batch, rank, n] each -> [batch, rank², n] */
function products(first: Value, second: Value): Value {
  const [batch = 1, rank = 1, length = 1] = first.shape;
  const all = mul(reshape(first, [batch, rank, 1, length]), reshape(second, [batch, 1, rank, length]));
  return reshape(all, [batch, times(rank, rank), length]);
}

/** [batch, m, n] -> [batch, n, m] */
const turned = (matrix: Value): Value => transpose(matrix, [0, 2, 1]);

import { z } from "zod";
import { add } from "../../../graph/ops/add.ts";
import { matmul } from "../../../graph/ops/matmul.ts";
import { mul } from "../../../graph/ops/mul.ts";
import { reshape } from "../../../graph/ops/reshape.ts";
import { scalar, type Value } from "../../../graph/value.ts";
import { project } from "../../../nn/linear.ts";
import type { LinearSite } from "../../../nn/sites/linear.ts";
import { natural, toggle } from "../../../settings/setting.ts";
import { type AdapterScope, defineMethod } from "../../method.ts";
import type { OptionValues } from "../../options.ts";
import { type Initializer, kaimingUniform, zeros } from "../../parameter.ts";
import { peftFields } from "../../peft-fields.ts";
import { isUpdated } from "../../targets.ts";
import { rankAndScale } from "../lora/low-rank.ts";
import { lycorisFields, lycorisOptions, readLycoris, writeLycoris } from "./lycoris.ts";

const declared = {
  ...lycorisOptions,
  factor: natural(
    0,
    "first factor of a layer's lengths, where it divides them; 0: as near their square root as possible",
  ),
  decomposeBoth: toggle(false, "make C of low rank too, where that is smaller"),
};

/**
 * LoKr: y = W x + b + scale · (C ⊗ D) x, W and b frozen, C: [out₁, in₁], D: [out₂, in₂], out = out₁ out₂, in = in₁ in₂, scale =
 * alpha / rank. D, and C where asked, are products of two matrices of the rank where that is smaller.
 * C starts at zero, so the adapted model starts as the base model.  Merged: W' = W + scale · C ⊗ D.
 */
export const lokr = defineMethod({
  name: "lokr",
  summary: "adds a Kronecker product of two small matrices to the weights of chosen linear layers",
  source: "Yeh et al. 2023, arXiv:2309.14859, section 3; after Edalati et al. 2022, arXiv:2212.10650",
  start: "base",
  rate: 1e-3,
  size: { option: "rank", limit: "shortest side" },
  options: declared,
  linear: {
    adds: true,
    targets: isUpdated,
    apply(site, scope, options) {
      const { C, D, scale } = factors(site, scope, options);
      const [batch = 1, tokens = 1] = site.x.shape;
      const X = reshape(site.x, [batch, tokens, C.shape.at(-1) ?? 1, D.shape.at(-1) ?? 1]);
      const Y = matmul(forTokens(C), project(X, forTokens(D), scale)); // C X Dᵀ: never the in × out product
      return add(site.y, reshape(Y, site.y.shape));
    },
    merge(site, scope, options) {
      const { C, D, scale } = factors(site, scope, options);
      const [[out1 = 1, in1 = 1], [out2 = 1, in2 = 1]] = [C.shape, D.shape];
      const blocks = mul(reshape(C, [out1, 1, in1, 1]), reshape(D, [1, out2, 1, in2]));
      const product = reshape(blocks, [site.outSize, site.inSize]);
      return { weight: add(site.weight, mul(product, scalar(scale))), bias: site.bias };
    },
  },
  peft: {
    type: "LOKR",
    excludes: true,
    fields: [...lycorisFields, "decompose_both", "decompose_factor", "rank_dropout_scale"],
    read(json) {
      const { decompose_both, decompose_factor } = peftFields(config, json);
      return { ...readLycoris(json), decomposeBoth: decompose_both, factor: Math.max(0, decompose_factor) };
    },
    write: (options, model) => ({
      ...writeLycoris(options, model),
      decompose_both: options.decomposeBoth,
      decompose_factor: options.factor === 0 ? -1 : options.factor,
      rank_dropout_scale: false,
    }),
  },
});

/** A matrix as each token of a row reads it, the row's own where it has one.  [m, n] -> the same; [batch, m, n] -> [batch, 1, m, n] */
const forTokens = (matrix: Value): Value => {
  const [batch = 1, ...shape] = matrix.shape;
  return shape.length === 2 ? reshape(matrix, [batch, 1, ...shape]) : matrix;
};

type Site = Pick<LinearSite, "path" | "inSize" | "outSize">;

function factors({ path, inSize, outSize }: Site, scope: AdapterScope, given: OptionValues<typeof declared>) {
  const { rank, scale } = rankAndScale(path, given);
  const [[out1, out2], [in1, in2]] = [split(outSize, given.factor), split(inSize, given.factor)];
  const matrix = (
    name: string,
    [rows, columns]: readonly [number, number],
    isLow: boolean,
    start: Initializer,
  ): Value =>
    isLow && rank < Math.max(rows, columns) / 2
      ? matmul(
          scope.parameter(`${name}_a`, [rows, rank], start),
          scope.parameter(`${name}_b`, [rank, columns], kaimingUniform),
        )
      : scope.parameter(name, [rows, columns], start);
  const C = matrix("lokr_w1", [out1, in1], given.decomposeBoth, zeros);
  const D = matrix("lokr_w2", [out2, in2], true, kaimingUniform);
  return { C, D, scale };
}

/** Two factors of a length: the given one, or the largest that is neither above it nor above the square root. */
function split(length: number, factor: number): readonly [number, number] {
  if (factor > 0 && length % factor === 0) return [factor, length / factor];
  let first = Math.min(factor === 0 ? length : factor, Math.floor(Math.sqrt(length)));
  while (length % first !== 0) first--;
  return [first, length / first];
}

const config = z.looseObject({
  decompose_both: z.boolean().default(false),
  decompose_factor: z.union([z.literal(-1), z.int().positive()]).default(-1),
});

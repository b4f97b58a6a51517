import { add } from "../../../graph/ops/add.ts";
import { div } from "../../../graph/ops/div.ts";
import { detach } from "../../../graph/ops/identity.ts";
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
import { factors, lowRankFields, lowRankOptions, readLowRank, update, writeLowRank } from "./low-rank.ts";

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
  alone: "the lengths of the rows of W + B A would be computed for every row",
  size: { option: "rank", limit: "shortest side" },
  options: lowRankOptions,
  linear: {
    targets: isUpdated,
    apply({ x, weight, bias, ...site }, scope, options) {
      const low = factors(scope, site, options);
      const dropped = scope.dropout(x, options.dropout);
      const ratio = div(magnitude(scope, site), detach(rowLengths(add(weight, update(low)))));
      const y = mul(add(project(dropped, weight), project(project(dropped, low.A), low.B, low.scale)), ratio);
      return bias ? add(y, bias) : y;
    },
    merge({ weight, bias, ...site }, scope, options) {
      const direction = add(weight, update(factors(scope, site, options)));
      const ratio = div(magnitude(scope, site), rowLengths(direction));
      return { weight: mul(direction, reshape(ratio, [site.outSize, 1])), bias };
    },
  },
  peft: {
    ...{ type: "LORA", fields: lowRankFields, adaptedBiases: "lora_only", excludes: true },
    read(config) {
      const { dora, options } = readLowRank(config);
      return dora ? options : undefined;
    },
    write: (options, model) => ({ ...writeLowRank(options, model), use_dora: true }),
  },
});

type Layer = Pick<LinearSite, "path" | "outSize" | "transposed">;

const magnitude = (scope: AdapterScope, { path, outSize, transposed }: Layer) =>
  scope.parameter("lora_magnitude_vector", [outSize], lengthsOf(`${path}.weight`, transposed));

/** ‖V‖: the Euclidean length of each row.  [out, in] -> [out] */
const rowLengths = (V: Value): Value => reshape(sqrt(reduceSum(mul(V, V), [1])), [V.shape[0] ?? 1]);

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

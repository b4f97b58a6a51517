import { Matrix } from "ml-matrix";
import { planEvaluation } from "../data/batches/batches.ts";
import { collate } from "../data/batches/collate.ts";
import { type EncodedRows, lengthsOf, rowsAt } from "../data/rows/encoded-rows.ts";
import { InputError } from "../errors.ts";
import { cast } from "../graph/ops/cast.ts";
import { concat } from "../graph/ops/concat.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import type { Value } from "../graph/value.ts";
import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { InputDirections } from "../peft/parameter.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { float32Of } from "../tensor/host-tensor.ts";
import { times } from "../tensor/shape.ts";
import { truncatedSvd } from "../tensor/truncated-svd.ts";

/**
 * The directions in which the inputs of adapted linear layers differ most on some rows: the eigenvectors of their
 * covariance, over all tokens that are text, in the base without an adapter (Paischer et al. 2024, arXiv:2410.07170,
 * section 3). Of each batch the graph gives sums and sums of products; the inputs themselves never leave it.
 *
 * @throws InputError where there are no rows
 */
export async function inputDirections(
  engine: Engine,
  { base, goal, targets }: Pick<AdaptedModel, "base" | "goal" | "targets">,
  examples: EncodedRows,
): Promise<InputDirections> {
  if (examples.length === 0) throw new InputError("the start eva comes from data, and there are no rows");
  const { layerInputs, inputs } = adapt(base, [], goal).forward();
  const read = new Map(targets.flatMap((path) => entryOf(layerInputs, path)));
  const distinct = [...new Set(read.values())]; // queries, keys and values read the same
  const products = distinct.map((x, at) => [String(at), productsOf(x, inputs.attentionMask)] as const);
  const program = await compile(engine, Object.fromEntries(products));
  const sums = distinct.map((x) => Matrix.zeros(Number(x.shape[2]) + 1, Number(x.shape[2]) + 1));
  for (const places of planEvaluation(lengthsOf(examples), batchRows)) {
    const { items: _, ...batch } = collate(await rowsAt(examples, places), base.model.sizes.padId);
    const found = await program.run(batch);
    for (const [at, sum] of sums.entries()) {
      const part = found[String(at)];
      if (part) sum.add(Matrix.from1DArray(sum.rows, sum.columns, float32Of(part)));
    }
  }
  await program.release();
  return (path, count) => {
    const x = read.get(path);
    const sum = x && sums[distinct.indexOf(x)];
    if (!sum) throw new InputError(`the start eva knows no inputs of ${path}`);
    return Float32Array.from(truncatedSvd(covarianceOf(sum), count).V.transpose().to1DArray());
  };
}

const batchRows = 32;

const entryOf = <K, V>(map: ReadonlyMap<K, V>, key: K): readonly (readonly [K, V])[] => {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
};

/** Σ over text of [x; 1] [x; 1]ᵀ: sums of products, sums, and how many there are.  x: [batch, tokens, in] -> [in + 1, in + 1] */
function productsOf(x: Value, mask: Value): Value {
  const [batch = 1, tokens = 1, inSize = 1] = x.shape;
  const text = cast(reshape(mask, [batch, tokens, 1]), "float32");
  const rows = reshape(concat([mul(x, text), text], 2), [times(batch, tokens), Number(inSize) + 1]);
  return matmul(rows, rows, { transA: true });
}

/** E[x xᵀ] − E[x] E[x]ᵀ */
function covarianceOf(sum: Matrix): Matrix {
  const last = sum.rows - 1;
  const count = sum.get(last, last);
  const mean = sum.subMatrix(0, last - 1, last, last).div(count);
  return sum
    .subMatrix(0, last - 1, 0, last - 1)
    .div(count)
    .sub(mean.mmul(mean.transpose()));
}

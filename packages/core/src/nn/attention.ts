import { InternalError } from "../errors.ts";
import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { mul } from "../graph/ops/mul.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { softmax } from "../graph/ops/softmax.ts";
import { sub } from "../graph/ops/sub.ts";
import { transpose } from "../graph/ops/transpose.ts";
import type { Value } from "../graph/value.ts";
import { scalar } from "../graph/value.ts";
import type { Scope } from "./scope.ts";
import type { AttentionSite } from "./sites/attention.ts";
import { softCap } from "./soft-cap.ts";

interface AttentionInputs extends Pick<AttentionSite, "heads" | "bias"> {
  /** [batch, tokens, hidden] each */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * Multi-head scaled dot-product attention, softmax(Q Kᵀ / √head size + bias) V (Vaswani et al. 2017, arXiv:1706.03762,
 * section 3.2); a site where methods may add keys and values.  -> [batch, tokens, hidden]
 */
export function attention(scope: Scope, { query, key, value, heads, ...rest }: AttentionInputs): Value {
  const split = { query: splitHeads(query, heads), key: splitHeads(key, heads), value: splitHeads(value, heads) };
  return headAttention(scope, { ...split, ...rest });
}

interface HeadInputs extends Pick<AttentionSite, "key" | "value" | "bias"> {
  readonly seenInFront?: AttentionSite["seenInFront"];
  /** [batch, heads, tokens, head size] */
  readonly query: Value;
  /** factor of the products of queries and keys; 1/√head size where left out */
  readonly scale?: number | undefined;
  /** bound of the scores, before the bias */
  readonly softcap?: number | undefined;
  /** the length of what is projected; that of all heads together where left out */
  readonly hidden?: number;
  readonly keysAndValues?: AttentionSite["keysAndValues"];
}

/**
 * The same on heads that are split already. Where there are fewer keys and values than queries, each group of heads
 * shares them: grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245, section 2.2).
 */
export function headAttention(scope: Scope, { query, key, value, bias, ...rest }: HeadInputs): Value {
  const { path, layer } = scope;
  if (layer === undefined) throw new InternalError(`${path}: attention has to stand in a layer of the stack`);
  const [, heads = 1, , size = 1] = query.shape;
  const { scale, softcap, keysAndValues, seenInFront, hidden = Number(heads) * Number(size) } = rest;
  const attend = (keys: Value, values: Value, shift?: Value): Value => {
    const products = groupedProduct(query, keys, { transB: true, alpha: scale ?? 1 / Math.sqrt(Number(size)) });
    const bounded = softcap === undefined ? products : softCap(products, softcap);
    return groupedProduct(scope.dropout(softmax(shift ? add(bounded, shift) : bounded)), values, {});
  };
  const read = scope.hooks.act("attention", {
    path,
    layer,
    heads: Number(key.shape[1]),
    headSize: Number(size),
    bias,
    key,
    value,
    queryHeads: Number(heads),
    hidden,
    attend,
    keysAndValues,
    seenInFront,
    added: undefined,
  });
  const context = attend(read.key, read.value, read.bias);
  return joinHeads(read.added ? add(context, read.added) : context);
}

/** The products of heads with the matrices of their groups.  a: [batch, heads, m, k], b: [batch or 1, groups, k, n] */
function groupedProduct(a: Value, b: Value, options: Parameters<typeof matmul>[2] & object): Value {
  const [batch = 1, heads = 1, rows = 1, inner = 1] = a.shape;
  const [sets = 1, groups = 1, ...matrix] = b.shape;
  if (heads === groups) return matmul(a, b, options);
  const grouped = reshape(a, [batch, groups, Number(heads) / Number(groups), rows, inner]);
  const product = matmul(grouped, reshape(b, [sets, groups, 1, ...matrix]), options);
  return reshape(product, [batch, heads, rows, product.shape[4] ?? 1]);
}

/** [batch, tokens, hidden] -> [batch, heads, tokens, head size] */
export function splitHeads(x: Value, heads: number): Value {
  const [batch = 1, tokens = 1, hidden = 1] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, Number(hidden) / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, head size] -> [batch, tokens, hidden] */
function joinHeads(x: Value): Value {
  const [batch = 1, heads = 1, tokens = 1, headSize = 1] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, Number(heads) * Number(headSize)]);
}

/** The lowest float32: added to a score, it leaves no weight. */
export const lowest = -3.4028234663852886e38;

/** What hides positions from attention: 0 where they are visible (1), the lowest float where they are not (0). */
export const visibilityBias = (visible: Value): Value => mul(sub(scalar(1), visible), scalar(lowest));

/** What hides masked positions from attention.  mask: [batch, tokens], 1 for text -> [batch, 1, 1, tokens] */
export function maskBias(mask: Value): Value {
  const [batch = 1, tokens = 1] = mask.shape;
  return visibilityBias(reshape(cast(mask, "float32"), [batch, 1, 1, tokens]));
}

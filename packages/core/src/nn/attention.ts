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
import type { AttentionSite } from "./sites.ts";

interface AttentionInputs extends Pick<AttentionSite, "index" | "layers" | "heads" | "bias"> {
  /** [batch, tokens, hidden] each */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/**
 * Multi-head scaled dot-product attention, softmax(Q Kᵀ / √head size + bias) V (Vaswani et al. 2017, arXiv:1706.03762,
 * section 3.2); a site where methods may add keys and values.  -> [batch, tokens, hidden]
 */
export function attention(scope: Scope, { query, key, value, bias, heads, index, layers }: AttentionInputs): Value {
  const headSize = Number(query.shape[2]) / heads;
  const read = scope.hooks.attention({
    ...{ path: scope.path, index, layers, heads, headSize, bias },
    ...{ key: splitHeads(key, heads), value: splitHeads(value, heads) },
  });
  const scores = matmul(splitHeads(query, heads), read.key, { transB: true, alpha: 1 / Math.sqrt(headSize) });
  const probabilities = scope.dropout(softmax(add(scores, read.bias)));
  return joinHeads(matmul(probabilities, read.value));
}

/** [batch, tokens, hidden] -> [batch, heads, tokens, head size] */
function splitHeads(x: Value, heads: number): Value {
  const [batch = 1, tokens = 1, hidden = 1] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, Number(hidden) / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, head size] -> [batch, tokens, hidden] */
function joinHeads(x: Value): Value {
  const [batch = 1, heads = 1, tokens = 1, headSize = 1] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, Number(heads) * Number(headSize)]);
}

const lowest = -3.4028234663852886e38;

/** What hides masked positions from attention: 0 where the mask is 1, the lowest float where it is 0.  mask: [batch, tokens] -> [batch, 1, 1, tokens] */
export function maskBias(mask: Value): Value {
  const [batch = 1, tokens = 1] = mask.shape;
  const hidden = sub(scalar(1), cast(mask, "float32"));
  return reshape(mul(hidden, scalar(lowest)), [batch, 1, 1, tokens]);
}

import { cast } from "../graph/ops/cast.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { div } from "../graph/ops/div.ts";
import { equal } from "../graph/ops/equal.ts";
import { matmul } from "../graph/ops/matmul.ts";
import { mul } from "../graph/ops/mul.ts";
import { not } from "../graph/ops/not.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { ModelInputs } from "./model.ts";

/**
 * Which vector stands for a text: the mean over its tokens, the first one as it is (`cls`), the last one, or what
 * Hugging Face's class for the task takes (`default`).
 */
export const poolings = ["default", "mean", "cls", "last"] as const;
export type Pooling = (typeof poolings)[number];

/** hidden: [batch, tokens, hidden], mask: [batch, tokens] -> [batch, 1, hidden] */
export function pool(pooling: Exclude<Pooling, "default">, hidden: Value, mask: Value): Value {
  switch (pooling) {
    case "cls":
      return slice(hidden, 1, 0, 1);
    case "mean": {
      const text = cast(mask, "float32");
      return weighted(div(text, reduceSum(text, [1])), hidden);
    }
    case "last": {
      const last = equal(cumSum(mask, 1), reduceSum(mask, [1]));
      return weighted(cast(mul(cast(last, "int32"), mask), "float32"), hidden);
    }
  }
}

/** The last token that is text, as Hugging Face's decoders' classifiers find it: by its id where padding has one. */
export function lastToken(
  hidden: Value,
  { inputIds, attentionMask }: Pick<ModelInputs, "inputIds" | "attentionMask">,
  padId: number | null | undefined,
): Value {
  if (padId == null) return pool("last", hidden, attentionMask);
  const text = cast(not(equal(inputIds, scalar(padId, "int32"))), "int32");
  return pool("last", hidden, mul(attentionMask, text));
}

/** Σ over tokens of weight times vector.  weights: [batch, tokens] */
function weighted(weights: Value, hidden: Value): Value {
  const [batch = 1, tokens = 1] = weights.shape;
  return matmul(reshape(weights, [batch, 1, tokens]), hidden);
}

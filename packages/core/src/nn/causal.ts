import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { concat } from "../graph/ops/concat.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { expand } from "../graph/ops/expand.ts";
import { greater } from "../graph/ops/greater.ts";
import { mul } from "../graph/ops/mul.ts";
import { not } from "../graph/ops/not.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { sub } from "../graph/ops/sub.ts";
import { scalar, type Value } from "../graph/value.ts";
import { type Dim, plus, times } from "../tensor/shape.ts";
import { visibilityBias } from "./attention.ts";
import type { ModelInputs } from "./model.ts";

type Text = Pick<ModelInputs, "inputIds" | "attentionMask" | "virtualTokens">;

/**
 * What hides from each token the ones behind it and those whose mask is 0; with a window W also those that are W or more
 * in front of it. The mask may be longer than the ids: tokens that were computed before.
 * mask: [batch, keys] -> [batch, 1, tokens, keys]
 */
export function causalBias({ inputIds, attentionMask }: Text, window?: number): Value {
  const [batch = 1, keys = 1] = attentionMask.shape;
  const count = cumSum(expand(scalar(1, "int32"), [keys]), 0);
  const key = reshape(count, [1, keys]);
  const query = reshape(ofIds(count, 0, inputIds), [inputIds.shape[1] ?? 1, 1]);
  const reached = cast(not(greater(key, query)), "float32");
  const near = window && cast(greater(add(key, scalar(window, "int32")), query), "float32");
  const text = reshape(cast(attentionMask, "float32"), [batch, 1, 1, keys]);
  return visibilityBias(mul(near ? mul(reached, near) : reached, text));
}

/**
 * Positions of the ids' tokens, counted from a row's first token whose mask is 1 and behind the virtual tokens, so that
 * padding on either side changes nothing: int32 [batch, tokens]
 */
export function textPositions(text: Text, virtualTokens: number): Value {
  const begun = begunAt(text);
  const counted = add(sub(cumSum(begun, 1), begun), scalar(virtualTokens, "int32"));
  return ofIds(counted, 1, text.inputIds);
}

/** How many positions a row takes up from its first token whose mask is 1 to its last: int32 [batch, 1] */
export function textLength(text: Omit<Text, "inputIds">, virtualTokens: number): Value {
  const { attentionMask } = text;
  const [, keys = 1] = attentionMask.shape;
  const visible = cumSum(attentionMask, 1);
  const all = slice(visible, 1, plus(keys, -1), keys);
  const ended = cast(greater(scalar(1, "int32"), add(sub(all, visible), attentionMask)), "int32");
  const taken = cumSum(sub(begunAt(text), mul(ended, begunAt(text))), 1);
  return add(slice(taken, 1, plus(keys, -1), keys), scalar(virtualTokens, "int32"));
}

/** 1 for the virtual tokens, and from a text's first token whose mask is 1 on: int32 [batch, keys] */
function begunAt({ attentionMask, virtualTokens = 0 }: Omit<Text, "inputIds">): Value {
  const [, keys = 1] = attentionMask.shape;
  const text = slice(attentionMask, 1, virtualTokens, keys);
  const begun = cast(greater(cumSum(text, 1), scalar(0, "int32")), "int32");
  return virtualTokens === 0 ? begun : concat([slice(attentionMask, 1, 0, virtualTokens), begun], 1);
}

/** Of numbers of all keys those of the ids, which are the last. */
function ofIds(numbers: Value, axis: number, ids: Value): Value {
  const keys: Dim = numbers.shape[axis] ?? 1;
  return slice(numbers, axis, plus(keys, times(-1, ids.shape[1] ?? 1)), keys);
}

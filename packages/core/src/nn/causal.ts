import { add } from "../graph/ops/add.ts";
import { cast } from "../graph/ops/cast.ts";
import { concat } from "../graph/ops/concat.ts";
import { cumSum } from "../graph/ops/cum-sum.ts";
import { equal } from "../graph/ops/equal.ts";
import { expand } from "../graph/ops/expand.ts";
import { greater } from "../graph/ops/greater.ts";
import { mul } from "../graph/ops/mul.ts";
import { not } from "../graph/ops/not.ts";
import { reduceSum } from "../graph/ops/reduce-sum.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { sub } from "../graph/ops/sub.ts";
import { scalar, type Value } from "../graph/value.ts";
import { type Dim, plus, times } from "../tensor/shape.ts";
import { visibilityBias } from "./attention.ts";
import type { ModelInputs } from "./model.ts";

type Text = Pick<ModelInputs, "inputIds" | "attentionMask" | "virtualTokens" | "documents">;

/**
 * What hides from each token the ones behind it and those whose mask is 0; with a window W also those that are W or more
 * in front of it, and where a row is several texts all the others. The mask may be longer than the ids: tokens that
 * were computed before.
 * mask: [batch, keys] -> [batch, 1, tokens, keys]
 */
export function causalBias({ inputIds, attentionMask, documents }: Text, window?: number): Value {
  const [batch = 1, keys = 1] = attentionMask.shape;
  const count = cumSum(expand(scalar(1, "int32"), [keys]), 0);
  const key = reshape(count, [1, keys]);
  const query = reshape(ofIds(count, 0, inputIds), [inputIds.shape[1] ?? 1, 1]);
  const reached = cast(not(greater(key, query)), "float32");
  const near = window && cast(greater(add(key, scalar(window, "int32")), query), "float32");
  const text = reshape(cast(attentionMask, "float32"), [batch, 1, 1, keys]);
  const visible = mul(near ? mul(reached, near) : reached, text);
  return visibilityBias(documents ? mul(visible, reshape(sameText(documents), visible.shape)) : visible);
}

/**
 * How many positions in front of its text each token sees through a window W: W − 1 less the tokens between.
 * int32 [batch, tokens]
 */
export const seenInFront = (text: Text, window: number): Value =>
  sub(scalar(window - 1, "int32"), textPositions(text, 0));

/**
 * Positions of the ids' tokens, counted from a row's first token whose mask is 1 and behind the virtual tokens, so that
 * padding on either side changes nothing; where a row is several texts, from the first token of each:
 * int32 [batch, tokens]
 */
export function textPositions(text: Text, virtualTokens: number): Value {
  if (text.documents) return positionsWithin(text.documents, virtualTokens);
  const begun = begunAt(text);
  const counted = add(sub(cumSum(begun, 1), begun), scalar(virtualTokens, "int32"));
  return ofIds(counted, 1, text.inputIds);
}

/**
 * How many positions a row takes up from its first token whose mask is 1 to its last: int32 [batch, 1]; where a row is
 * several texts, each token's own: int32 [batch, tokens]
 */
export function textLength(text: Omit<Text, "inputIds">, virtualTokens: number): Value {
  const { attentionMask, documents } = text;
  const [, keys = 1] = attentionMask.shape;
  if (documents) return add(counted(sameText(documents)), scalar(virtualTokens, "int32"));
  const visible = cumSum(attentionMask, 1);
  const all = slice(visible, 1, plus(keys, -1), keys);
  const ended = cast(greater(scalar(1, "int32"), add(sub(all, visible), attentionMask)), "int32");
  const taken = cumSum(sub(begunAt(text), mul(ended, begunAt(text))), 1);
  return add(slice(taken, 1, plus(keys, -1), keys), scalar(virtualTokens, "int32"));
}

/** How many tokens of its text stand in front of each, and as many virtual ones: int32 [batch, tokens] */
function positionsWithin(documents: Value, virtualTokens: number): Value {
  const count = cumSum(expand(scalar(1, "int32"), documents.shape.slice(1)), 0);
  const [tokens = 1] = count.shape;
  const before = cast(greater(reshape(count, [tokens, 1]), reshape(count, [1, tokens])), "float32");
  return add(counted(mul(sameText(documents), before)), scalar(virtualTokens, "int32"));
}

/** 1 where two tokens of a row are of one text: float32 [batch, tokens, tokens] */
function sameText(documents: Value): Value {
  const [batch = 1, tokens = 1] = documents.shape;
  const [query, key] = [reshape(documents, [batch, tokens, 1]), reshape(documents, [batch, 1, tokens])];
  return cast(equal(query, key), "float32");
}

/** Sums over the last axis: [batch, tokens, keys] -> int32 [batch, tokens] */
const counted = (x: Value): Value => cast(reshape(reduceSum(x, [-1]), x.shape.slice(0, -1)), "int32");

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

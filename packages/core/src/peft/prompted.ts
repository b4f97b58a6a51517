import { concat } from "../graph/ops/concat.ts";
import { expand } from "../graph/ops/expand.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { slice } from "../graph/ops/slice.ts";
import { scalar, type Value } from "../graph/value.ts";
import type { ModelInputs } from "../nn/model.ts";
import { plus, times } from "../tensor/shape.ts";
import type { MethodUse } from "./method.ts";
import { setsOf } from "./own-tensors.ts";

/** How many learned vectors the methods put in front of a text's embeddings. */
export const promptLength = (methods: readonly MethodUse[]): number =>
  lengthOf(methods.filter((use) => use.at("prompt")));

/** How many positions are taken up by vectors that they put in front of a text's keys and values alone. */
export const prefixLength = (methods: readonly MethodUse[]): number =>
  lengthOf(methods.filter((use) => !use.at("prompt")));

const lengthOf = (methods: readonly MethodUse[]): number =>
  methods.reduce((sum, use) => sum + (use.virtualTokens?.() ?? 0), 0);

/**
 * A batch as the architecture sees it behind a prompt: in front of every row visible ids, none of them padding, that stand
 * for the prompt's vectors. Where a text goes on, its prompt is in the cache, and only the mask is longer.
 */
export function behindPrompt(inputs: ModelInputs, length: number, padId: number, continues: boolean): ModelInputs {
  if (length === 0) return inputs;
  const [batch = 1] = inputs.inputIds.shape;
  const behind = (x: Value, fill: number) => concat([expand(scalar(fill, "int32"), [batch, length]), x], 1);
  const longer = { ...inputs, attentionMask: behind(inputs.attentionMask, 1), virtualTokens: length };
  if (continues) return longer;
  const standIn = padId === 0 ? 1 : 0;
  return { ...longer, inputIds: behind(inputs.inputIds, standIn), tokenTypeIds: behind(inputs.tokenTypeIds, 0) };
}

/** The prompt's vectors in the place of the stand-ins'.  y: [batch, tokens, size], prompt: [length, size] or each row's own */
export function withPrompt(y: Value, prompt: Value): Value {
  const [batch = 1, tokens = 1] = y.shape;
  const [length = 1, size = 1] = prompt.shape.slice(-2);
  const vectors = expand(reshape(prompt, [setsOf(prompt, 2), length, size]), [batch, length, size]);
  return concat([vectors, slice(y, 1, length, tokens)], 1);
}

/** A text's own states behind those of a prompt.  states: [batch, length + tokens, hidden] -> [batch, tokens, hidden] */
export const textStates = (states: Value, inputs: Pick<ModelInputs, "inputIds">): Value =>
  lastStates(states, inputs, 0);

/** The same with the state of the prompt's end in front, which foretells the first token: [batch, 1 + tokens, hidden] */
export const foretellingStates = (states: Value, inputs: Pick<ModelInputs, "inputIds">): Value =>
  lastStates(states, inputs, 1);

function lastStates(states: Value, { inputIds }: Pick<ModelInputs, "inputIds">, more: number): Value {
  const [all = 1, own = 1] = [states.shape[1], inputIds.shape[1]];
  return slice(states, 1, plus(all, plus(times(-1, own), -more)), all);
}

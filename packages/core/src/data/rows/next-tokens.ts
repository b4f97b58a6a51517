import { ignoredLabel } from "./examples.ts";
import type { Target } from "./target.ts";

interface Labelled {
  readonly inputIds: Int32Array;
  readonly attentionMask?: Int32Array;
  /** which tokens are to be foretold: their own ids, or -100; all that are no padding where left out */
  readonly labels?: Int32Array | undefined;
  /** whether a learned prompt stands in front of the first token */
  readonly prompted?: boolean | undefined;
}

/**
 * What a causal language model is trained to give at each token: the one behind it, -100 where none is asked for. Behind a
 * prompt there is one more, in front: what the prompt's end is to give, the first token, as in PEFT.
 */
export function nextTokens({ inputIds, attentionMask, labels, prompted = false }: Labelled): Target {
  const own = labels ?? inputIds.map((id, token) => (attentionMask?.[token] === 0 ? ignoredLabel : id));
  const next = prompted ? own : own.subarray(1);
  const ids = new Int32Array(next.length + 1).fill(ignoredLabel);
  ids.set(next);
  return { kind: "tokens", ids };
}

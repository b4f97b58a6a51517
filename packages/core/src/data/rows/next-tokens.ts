import { ignoredLabel } from "./examples.ts";
import type { Target } from "./target.ts";

interface Labelled {
  readonly inputIds: Int32Array;
  readonly attentionMask?: Int32Array;
  /** which tokens are to be foretold: their own ids, or -100; all that are no padding where left out */
  readonly labels?: Int32Array | undefined;
}

/** What a causal language model is trained to give at each token: the one behind it, -100 where none is asked for. */
export function nextTokens({ inputIds, attentionMask, labels }: Labelled): Target {
  const own = labels ?? inputIds.map((id, token) => (attentionMask?.[token] === 0 ? ignoredLabel : id));
  const ids = new Int32Array(own.length).fill(ignoredLabel);
  ids.set(own.subarray(1));
  return { kind: "tokens", ids };
}

import { sub } from "../../../graph/ops/sub.ts";
import type { Value } from "../../../graph/value.ts";
import type { Trained } from "../../method.ts";
import type { Factors, LowRank } from "./low-rank.ts";
import { type StartName, startsFromWeight } from "./starting-factors.ts";
import { besideTheirStarts, twiceTheRank } from "./twice-the-rank.ts";

/** Factors as they are trained, and as they were where only what they have changed since then is added. */
export interface StartedFactors {
  readonly now: Factors;
  /** undefined where they started as an update of zero */
  readonly start: Factors | undefined;
}

/**
 * What factors have changed since their start. Where A and B start as a part of W, which is never changed, their own start
 * A₀, B₀ is subtracted: y = W x + b + scale · (B (A x) − B₀ (A₀ x)).
 */
export const sinceStart = ({ now, start }: StartedFactors, update: (factors: Factors) => Value): Value =>
  start ? sub(update(now), update(start)) : update(now);

/**
 * How trained factors are saved where they did not start as an update of zero: LoRA of twice the rank, [B −B₀] and [A; A₀].
 * Data that a start was found in are not saved.
 */
export function settleStart<O extends LowRank & { readonly initWeights: StartName }>(options: O, trained: Trained) {
  const { initWeights } = options;
  if (initWeights === "eva") return { use: { ...options, initWeights: "kaiming" as const }, tensors: {} };
  if (!startsFromWeight(initWeights)) return undefined;
  return { use: { ...twiceTheRank(options), initWeights: "kaiming" as const }, tensors: besideTheirStarts(trained) };
}

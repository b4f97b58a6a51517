import { adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import { countParameters } from "../peft/counts.ts";
import type { Goal } from "../peft/goal.ts";
import type { Method } from "../peft/method.ts";
import { sizeLimits } from "./limits.ts";
import { largestWithin } from "./search.ts";

/** A size of a method, and what it trains. */
export interface SizeWithin {
  /** undefined where not even 1 trains so few */
  readonly size: number | undefined;
  /** without the head; those of size 1 where none fits */
  readonly trained: number;
}

/**
 * The largest size of a method that trains at most so many parameters, the head not counted, and never one larger than
 * makes sense; undefined for a method that has no size. `optionsAt` says all options of the method at a size.
 * @throws InputError where the method finds nothing to train in this base
 */
export function sizeWithin(
  base: Base,
  goal: Goal,
  method: Method,
  most: number,
  optionsAt: (size: number) => Readonly<Record<string, unknown>>,
): SizeWithin | undefined {
  if (!method.size) return undefined;
  const useAt = (size: number) => method.use(optionsAt(size));
  const trainedAt = (size: number) => countParameters(adapt(base, [useAt(size)], goal)).trained_parameters;
  const limit = sizeLimits[method.size.limit](useAt(1), base, goal);
  const largest = largestWithin(limit.size, most, trainedAt);
  return { size: largest, trained: trainedAt(largest ?? 1) };
}

import { type AdaptedModel, adapt } from "../peft/adapt.ts";
import type { Base } from "../peft/base.ts";
import type { Goal } from "../peft/goal.ts";
import type { MethodUse } from "../peft/method.ts";

/** Kinds that are kept of a base; the one that was asked for longest ago goes. */
const most = 64;
const known = new WeakMap<Base, Map<string, AdaptedModel>>();

/**
 * What {@link adapt} makes of a base, once for all adapters whose files say the same: a base never changes, so they differ in
 * their numbers alone. For methods that petl declares; what else acts under such a name is not told apart.
 */
export function adaptAlike(base: Base, methods: readonly MethodUse[], goal: Goal): AdaptedModel {
  const kinds = known.get(base) ?? new Map<string, AdaptedModel>();
  known.set(base, kinds);
  const key = JSON.stringify([methods.map(({ name, options, found }) => [name, options, found]), goal]);
  const adapted = kinds.get(key) ?? adapt(base, methods, goal);
  kinds.delete(key);
  kinds.set(key, adapted);
  const [oldest] = kinds.keys();
  if (kinds.size > most && oldest !== undefined) kinds.delete(oldest);
  return adapted;
}

import { InputError } from "@petl/core";
import { type Flags, type FlagValues, flagName } from "../flags/flags.ts";

/** What says nothing of the run itself: where it is, how its base is reached, and where its page goes. */
const allowed = ["resume", "offline", "report"];

/**
 * Refuses what stands beside `--resume` and would be passed over: whatever differs from what the flags are where nothing is
 * said. `more` are names of other options that were given.
 */
export function refuseBeside<F extends Flags>(given: FlagValues<F>, flags: F, more: readonly string[] = []): void {
  const said = Object.entries(flags).flatMap(([name, { initial }]) => {
    const differs = JSON.stringify(given[name]) !== JSON.stringify(initial);
    return differs && !allowed.includes(name) ? [name] : [];
  });
  const beside = [...more, ...said];
  if (beside.length === 0) return;
  throw new InputError(
    `--resume goes on with the run as it is; leave out ${beside.map((name) => `--${flagName(name)}`).join(", ")}`,
  );
}

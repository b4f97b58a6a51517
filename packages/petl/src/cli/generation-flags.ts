import { generationSettings } from "@petl/core";
import { type FlagValues, unset } from "../flags/flags.ts";

/** The flags that say how a text goes on; what is left out has the library's default. */
export const generationFlags = unset(generationSettings);

/** The settings that were given. */
export function givenSettings(flags: FlagValues<typeof generationFlags>): object {
  const given = Object.entries(flags).filter(([name, value]) => name in generationFlags && value !== undefined);
  return Object.fromEntries(given.filter(([, value]) => !Array.isArray(value) || value.length > 0));
}

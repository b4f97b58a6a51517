import { shown } from "../errors.ts";

/**
 * What of a configuration is switched on without being known, a line each: fields that hold something other than nothing.
 * Newer programs write them; they may change what an adapter computes.
 */
export function unknownFields(
  config: Readonly<Record<string, unknown>>,
  known: readonly string[],
  place: string,
): readonly string[] {
  const unknown = Object.keys(config).filter((name) => !known.includes(name) && isOn(config[name]));
  const lines = unknown
    .slice(0, most)
    .map((name) => `${place}: ${shownName(name)} is ${shown(config[name])}, which petl does not know; it is ignored`);
  const more = unknown.length - most;
  return more > 0 ? [...lines, `${place}: and ${more} more fields that petl does not know`] : lines;
}

const most = 20;

const shownName = (name: string): string => (/^[\w.-]{1,80}$/.test(name) ? name : shown(name));

/** Whether a value says something: not null, false, 0, or empty. */
function isOn(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Boolean(value);
  return Object.keys(value).length > 0;
}

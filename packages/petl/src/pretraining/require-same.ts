import { InputError } from "@petl/core";

type Facts = Readonly<Record<string, unknown>>;

/** Refuses what was kept of a run that differs in something wanted, with everything that differs. */
export function requireSame(path: string, found: Facts, wanted: Facts): void {
  const shown = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));
  const problems = Object.keys(wanted)
    .filter((name) => shown(found[name]) !== shown(wanted[name]))
    .map((name) => `"${path}" was made for another run: ${name} was ${shown(found[name])}, not ${shown(wanted[name])}`);
  if (problems.length > 0) throw new InputError([...problems, "name another --prepared folder, or remove this one"]);
}

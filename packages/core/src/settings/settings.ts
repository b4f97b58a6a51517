import { InputError, shown, suggestion } from "../errors.ts";
import { isRecord } from "../values.ts";
import type { Setting } from "./setting.ts";

/** Settings by name. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** The values of settings; those that may be undefined may be left out. */
export type SettingValues<S extends Settings> = {
  readonly [name in keyof S as undefined extends ValueOf<S[name]> ? never : name]: ValueOf<S[name]>;
} & { readonly [name in keyof S as undefined extends ValueOf<S[name]> ? name : never]?: ValueOf<S[name]> };

/** What may be said of settings; each has a default. */
export type SettingInputs<S extends Settings> = { readonly [name in keyof S]?: ValueOf<S[name]> | undefined };

/**
 * The values of what was given, defaults where nothing was.
 * @throws InputError with everything that is wrong, unknown names among it
 */
export function readSettings<S extends Settings>(settings: S, given: unknown): SettingValues<S> {
  const record = recordOf(given);
  const unknown = Object.keys(record).filter((name) => !Object.hasOwn(settings, name));
  const { values, problems } = valuesOf(settings, record);
  const names = Object.keys(settings);
  const all = [
    ...unknown.map((name) => `there is no option \`${name}\`${suggestion(name, names)}; options: ${names.join(", ")}`),
    ...problems,
  ];
  if (all.length > 0) throw new InputError(all);
  return values;
}

/** The values of settings out of a record that may hold more. @throws InputError with everything that is wrong */
export function pickSettings<S extends Settings>(settings: S, given: unknown): SettingValues<S> {
  const { values, problems } = valuesOf(settings, recordOf(given));
  if (problems.length > 0) throw new InputError(problems);
  return values;
}

function recordOf(given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  if (isRecord(given)) return given;
  throw new InputError(`options are an object, as in { seed: 1 }, and not ${shown(given)}`);
}

function valuesOf<S extends Settings>(settings: S, given: Readonly<Record<string, unknown>>) {
  const problems: string[] = [];
  const values = Object.entries(settings).flatMap(([name, setting]) => {
    const reading = setting.read(given[name]);
    if ("value" in reading) return reading.value === undefined ? [] : [[name, reading.value] as const];
    const value = given[name] === undefined ? "" : ` ${shown(given[name])}`;
    problems.push(`\`${name}\`${value} ${reading.problems.join("; ")}`);
    return [];
  });
  return { values: Object.fromEntries(values) as SettingValues<S>, problems };
}

/** The same settings, which help texts show under a heading of their own. */
export const grouped = <const S extends Settings>(group: string, settings: S): S =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, { ...setting, group }])) as S;

/** What a setting does, with its default, for help texts. */
export function helpOf({ help, initial, otherwise, placeholder }: Setting<unknown>): string {
  if (otherwise !== undefined) return `${help} (${otherwise})`;
  if (placeholder === undefined || initial === undefined || typeof initial === "object") return help;
  return `${help} (${initial})`;
}

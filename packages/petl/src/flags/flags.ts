import { choice, count, InputError, needed, type Setting, type Settings, setting, shown, text } from "@petl/core";
import { z } from "zod";

/** One flag of a verb is a setting; its name is the record's key, in camelCase. */
type Flag<T> = Setting<T>;
export type Flags = Settings;
export type FlagValues<F extends Flags> = { readonly [name in keyof F]: F[name] extends Setting<infer T> ? T : never };

export { byteSize, text, textList, texts, toggle } from "@petl/core";

/** A number that a schema knows, whose default is the schema's. */
export const number = <T>(schema: z.ZodType<T>, placeholder: string, help: string): Flag<T> =>
  setting<T>(
    z.preprocess((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value), schema),
    { initial: schema.parse(undefined), placeholder, help },
  );

/** A positive integer; undefined where it is not given. */
export const optionalCount = (help: string): Flag<number | undefined> => count(undefined, help);

/** One of a few names; undefined where it is not given. */
export const optionalChoice = <const T extends string>(names: readonly T[], help: string): Flag<T | undefined> =>
  choice<T, undefined>(names, undefined, help);

/** A text that must be given. */
export const neededText = (placeholder: string, help: string): Flag<string> => needed(text(placeholder, help));

/** A share above 0, at most 1, as a number or in percent. */
export const shareOrPercent = (help: string): Flag<number | undefined> =>
  setting<number | undefined>(
    z
      .union([z.number(), z.string()])
      .transform(measured(shareIn, "is no share above 0 and at most 100 %, such as 0.1% or 0.001")),
    { initial: undefined, placeholder: "SHARE", help },
  );

/** What a text says, or its refusal. */
const measured =
  (read: (text: string) => number | undefined, refusal: string) =>
  (given: string | number, context: z.RefinementCtx) => {
    const value = read(String(given).trim());
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: refusal });
    return z.NEVER;
  };

function shareIn(given: string): number | undefined {
  const [, digits, percent] = /^(\d*\.?\d+(?:e-?\d+)?) ?(%?)$/i.exec(given) ?? [];
  const value = digits === undefined ? 0 : percent ? Number(digits) / 100 : Number(digits);
  return value > 0 && value <= 1 ? value : undefined;
}

/** A regular expression; undefined where it is not given. */
export const pattern = (help: string): Flag<RegExp | undefined> =>
  setting<RegExp | undefined>(
    z
      .string()
      .min(1)
      .transform((source, context) => {
        try {
          return new RegExp(source, "u");
        } catch (error) {
          context.addIssue({ code: "custom", message: `is no regular expression: ${String(error)}` });
          return z.NEVER;
        }
      }),
    { initial: undefined, placeholder: "REGEX", help },
  );

/** The same settings, undefined where they are not given: what fills them in has their defaults. */
export const unset = <const S extends Settings>(settings: S): Unset<S> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, each]): [string, Setting<unknown>] => {
      const { initial, placeholder, many = false } = each;
      const said = initial === undefined || many || placeholder === undefined ? {} : { otherwise: String(initial) };
      const read: Flag<unknown>["read"] = (given) =>
        given === undefined && !many ? { value: undefined } : each.read(given);
      return [name, { ...each, ...said, read, initial: many ? initial : undefined }];
    }),
  ) as Unset<S>;
type Unset<S extends Settings> = {
  readonly [name in keyof S]: S[name] extends Setting<infer T> ? Flag<T | undefined> : never;
};

/** `rankPattern` is written `--rank-pattern`. */
export const flagName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `rank-pattern` and `rank_pattern` mean `rankPattern`. */
export const settingName = (name: string): string =>
  name.replace(/[-_]([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** Checks what was given against the flags, as `called` in messages; what none of them knows is `rest`. Every problem comes in one error. */
export function parseFlags<F extends Flags>(
  flags: F,
  given: Readonly<Record<string, unknown>>,
  called: (name: string) => string = (name) => `--${flagName(name)}`,
): { readonly values: FlagValues<F>; readonly rest: Readonly<Record<string, unknown>> } {
  const problems: string[] = [];
  const values = Object.entries(flags).map(([name, { read }]) => {
    const reading = read(given[name]);
    if ("value" in reading) return [name, reading.value] as const;
    const value = given[name] === undefined ? "" : ` ${shown(given[name])}`;
    problems.push(`${called(name)}${value} ${reading.problems.join("; ")}`);
    return [name, undefined] as const;
  });
  if (problems.length > 0) throw new InputError(problems);
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !(name in flags)));
  return { values: Object.fromEntries(values) as FlagValues<F>, rest };
}

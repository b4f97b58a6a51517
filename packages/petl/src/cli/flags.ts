import { InputError, suggestion } from "@petl/core";
import { z } from "zod";

/** One flag of a verb: from it come the option, its help and its check. Its name is the record's key, in camelCase. */
export interface Flag<T> {
  readonly schema: z.ZodType<T>;
  readonly help: string;
  /** what stands for the value in help texts; undefined for a switch */
  readonly placeholder: string | undefined;
  /** whether it may come several times; the values are then a list */
  readonly many?: boolean;
}
export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [name in keyof F]: F[name] extends Flag<infer T> ? T : never };

/** Values arrive as text from the command line and as numbers from a config file. */
const numeric = <T>(schema: z.ZodType<T>) =>
  z.preprocess((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value), schema);

export const text = (placeholder: string, help: string): Flag<string | undefined> => ({
  ...{ schema: z.string().min(1).optional(), placeholder, help },
});

export const neededText = (placeholder: string, help: string): Flag<string> => ({
  ...{ schema: z.string({ error: "is missing" }).min(1), placeholder, help },
});

export const texts = (placeholder: string, help: string): Flag<readonly string[]> => ({
  schema: z.preprocess(
    (value) => (typeof value === "string" ? [value] : value),
    z.array(z.string()).readonly().default([]),
  ),
  ...{ placeholder, help, many: true },
});

export const number = <T>(schema: z.ZodType<T>, placeholder: string, help: string): Flag<T> => ({
  ...{ schema: numeric(schema), placeholder, help },
});

/** A positive integer; undefined where it is not given. */
export const count = (help: string): Flag<number | undefined> => number(z.int().positive().optional(), "N", help);

export const choice = <const T extends string>(names: readonly T[], help: string): Flag<T | undefined> => ({
  ...{ schema: z.enum(names).optional(), placeholder: "NAME", help: `${help}: ${names.join(", ")}` },
});

/** Bytes, as a number or as a size: kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024. */
export const bytes = (help: string): Flag<number | undefined> => ({
  schema: z
    .union([z.number(), z.string()])
    .transform(measured(bytesIn, "is no size such as 500000, 1MB or 4GiB"))
    .optional(),
  ...{ placeholder: "BYTES", help },
});

/** A share above 0, at most 1, as a number or in percent. */
export const share = (help: string): Flag<number | undefined> => ({
  schema: z
    .union([z.number(), z.string()])
    .transform(measured(shareIn, "is no share above 0 and at most 100 %, such as 0.1% or 0.001"))
    .optional(),
  ...{ placeholder: "SHARE", help },
});

/** What a text says, or its refusal. */
const measured =
  (read: (text: string) => number | undefined, refusal: string) =>
  (given: string | number, context: z.RefinementCtx) => {
    const value = read(String(given).trim());
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: refusal });
    return z.NEVER;
  };

const unitBytes: Readonly<Record<string, number>> = {
  ...{ "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

function bytesIn(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const factor = unitBytes[unit.toLowerCase()];
  const value = number === undefined || factor === undefined ? 0 : Math.round(Number(number) * factor);
  return value > 0 ? value : undefined;
}

function shareIn(text: string): number | undefined {
  const [, number, percent] = /^(\d*\.?\d+(?:e-?\d+)?) ?(%?)$/i.exec(text) ?? [];
  const value = number === undefined ? 0 : percent ? Number(number) / 100 : Number(number);
  return value > 0 && value <= 1 ? value : undefined;
}

/** A regular expression; undefined where it is not given. */
export const pattern = (help: string): Flag<RegExp | undefined> => ({
  schema: z
    .string()
    .min(1)
    .transform((source, context) => {
      try {
        return new RegExp(source, "u");
      } catch (error) {
        context.addIssue({ code: "custom", message: `is no regular expression: ${String(error)}` });
        return z.NEVER;
      }
    })
    .optional(),
  ...{ placeholder: "REGEX", help },
});

export const toggle = (initial: boolean, help: string): Flag<boolean> => ({
  ...{ schema: z.boolean().default(initial), placeholder: undefined, help },
});

/** `rankPattern` is written `--rank-pattern`. */
export const flagName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `rank-pattern` and `rank_pattern` mean `rankPattern`. */
export const keyOf = (name: string): string => name.replace(/[-_]([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** Checks what was given against the flags; what none of them knows is `rest`. Every problem comes in one error. */
export function parseFlags<F extends Flags>(
  flags: F,
  given: Readonly<Record<string, unknown>>,
): { readonly values: FlagValues<F>; readonly rest: Readonly<Record<string, unknown>> } {
  const problems: string[] = [];
  const values = Object.entries(flags).map(([name, { schema }]) => {
    const parsed = schema.safeParse(given[name]);
    if (parsed.success) return [name, parsed.data] as const;
    const reasons = parsed.error.issues.map((issue) => reasonOf(issue, given[name])).join("; ");
    const value = given[name] === undefined ? "" : ` ${JSON.stringify(given[name])}`;
    problems.push(`--${flagName(name)}${value} ${reasons}`);
    return [name, undefined] as const;
  });
  if (problems.length > 0) throw new InputError(problems);
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !(name in flags)));
  return { values: Object.fromEntries(values) as FlagValues<F>, rest };
}

/** What is wrong with a value, behind the flag and the value in a sentence. */
function reasonOf(issue: z.core.$ZodIssue, given: unknown): string {
  switch (issue.code) {
    case "invalid_value":
      return `is none of ${issue.values.join(", ")}${suggestion(String(given), issue.values.map(String))}`;
    case "invalid_type":
      if (given === undefined) return issue.message;
      return issue.expected === "int" ? "is not a whole number" : `is not a ${issue.expected}`;
    case "too_small":
      if (given === "") return "is empty";
      return `must be ${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return `must be ${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
    default:
      return issue.message.toLowerCase();
  }
}

import { z } from "zod";
import { type Schema, type SchemaIssue, suggestion } from "../errors.ts";

/** What something that was given stands for, or what is wrong with it, as ends of a sentence: `must be above 0`. */
type Reading<T> = { readonly value: T } | { readonly problems: readonly string[] };

/**
 * One setting of a verb: from it follow the flag, its help and its check, the key of config files and records, and the type
 * of the library's option. Its name is the key of the record that holds it, in camelCase.
 */
export interface Setting<T> {
  /** Reads a value, or the text that writes it. */
  read(given: unknown): Reading<T>;
  /** the value where nothing is given; undefined too where something must be */
  readonly initial: T | undefined;
  /** what it does, without its default */
  readonly help: string;
  /** what is done where nothing is given, in words, where `initial` does not say it */
  readonly otherwise?: string;
  /** what stands for the value in help texts; undefined for a switch */
  readonly placeholder: string | undefined;
  /** whether it may be given several times; the values are then a list */
  readonly many?: boolean;
  /** the names that it may have, where it is one of a few */
  readonly values?: readonly string[];
  /** under which heading help texts show it */
  readonly group?: string;
}

interface Described<T> {
  readonly initial: T;
  readonly help: string;
  readonly placeholder: string | undefined;
  readonly otherwise?: string;
  readonly values?: readonly string[];
  /** how the value is written, where that is more than a number or a word: "NAME=NUMBER, several joined by commas" */
  readonly form?: string;
}

/** A setting that has a value of its type where nothing is given. */
export interface DefaultedSetting<T> extends Setting<T> {
  readonly initial: T;
}

/** A setting whose values a schema knows. */
export function setting<T>(schema: Schema<T>, { initial, form, ...described }: Described<T>): DefaultedSetting<T> {
  return {
    ...described,
    initial,
    read(given) {
      if (given === undefined) return { value: initial };
      const parsed = schema.safeParse(given);
      return parsed.success
        ? { value: parsed.data }
        : { problems: [...new Set(parsed.error.issues.map((issue) => reasonOf(issue, given, form)))] };
    },
  };
}

/** Values arrive as text from the command line and as numbers from programs and config files. */
const numeric = <T>(schema: z.ZodType<T>) =>
  z.preprocess((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value), schema);

/** A number, or undefined where it may be left out. */
type NumberSetting = <I extends number | undefined>(
  initial: I,
  help: string,
  more?: More,
) => DefaultedSetting<number | I>;
interface More {
  readonly placeholder?: string;
  readonly otherwise?: string;
}

const numbered =
  (schema: z.ZodType<number>, standard: string): NumberSetting =>
  <I extends number | undefined>(initial: I, help: string, { placeholder = standard, ...more }: More = {}) =>
    setting<number | I>(numeric(schema), { initial, help, placeholder, ...more });

/** An integer above 0. */
export const count = numbered(z.int().positive(), "N");
/** An integer from 0 on. */
export const natural = numbered(z.int().nonnegative(), "N");
/** A number above 0. */
export const positive = numbered(z.number().positive(), "X");
/** A number from 0 on. */
export const nonnegative = numbered(z.number().nonnegative(), "X");
/** Any number. */
export const real = numbered(z.number(), "X");
/** A number from 0 up to but not including 1. */
export const fraction = numbered(z.number().min(0).lt(1), "P");
/** A number above 0 and below 1. */
export const innerFraction = numbered(z.number().positive().lt(1), "SHARE");
/** A number from 0 to 1. */
export const share = numbered(z.number().min(0).max(1), "SHARE");
/** A number above 0, at most 1. */
export const probability = numbered(z.number().positive().max(1), "P");

/** A text that isn't empty; undefined where nothing is given. */
export const text = (placeholder: string, help: string, otherwise?: string): Setting<string | undefined> =>
  setting<string | undefined>(z.string().min(1), {
    initial: undefined,
    placeholder,
    help,
    ...(otherwise !== undefined && { otherwise }),
  });

/** Texts, empty ones too, given one by one or as a list; a lone one is a list of one. */
export const texts = (placeholder: string, help: string): Setting<readonly string[]> => ({
  ...setting<readonly string[]>(
    z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(z.string()).readonly()),
    { initial: [], placeholder, help },
  ),
  many: true,
});

/** Texts, as a list or joined by commas; undefined where none is given. */
export const textList = (
  placeholder: string,
  help: string,
  more: Pick<Described<unknown>, "form" | "otherwise"> = {},
): Setting<readonly string[] | undefined> =>
  setting<readonly string[] | undefined>(
    z.preprocess(
      (value) => (typeof value === "string" ? value.split(",").map((each) => each.trim()) : value),
      z.array(z.string().min(1)).min(1).readonly(),
    ),
    { initial: undefined, placeholder, help, ...more },
  );

/** One of a few names. */
export const choice = <const T extends string, I extends T | undefined>(
  names: readonly T[],
  initial: I,
  help: string,
  otherwise?: string,
): DefaultedSetting<T | I> =>
  setting<T | I>(z.enum(names), {
    initial,
    help: `${help}: ${names.join(", ")}`,
    placeholder: "NAME",
    values: names,
    ...(otherwise !== undefined && { otherwise }),
  });

/** Some of a few names, as a list or joined by commas. */
export const choices = <const T extends string>(
  names: readonly T[],
  placeholder: string,
  help: string,
): Setting<readonly T[]> =>
  setting<readonly T[]>(
    z.preprocess((value) => (typeof value === "string" ? value.split(",") : value), z.array(z.enum(names)).readonly()),
    { initial: [], placeholder, help },
  );

/** On or off; also as text, which config files of other programs have. */
export const toggle = <const I extends boolean | undefined>(
  initial: I,
  help: string,
  otherwise?: string,
): DefaultedSetting<boolean | I> =>
  setting<boolean | I>(
    z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean()),
    { initial, help, placeholder: undefined, ...(otherwise !== undefined && { otherwise }) },
  );

/** A setting that is never left out. */
export const needed = <T>({ read, ...described }: Setting<T | undefined>): Setting<T> => ({
  ...described,
  initial: undefined,
  read: (given) => {
    if (given === undefined) return { problems: ["is missing"] };
    const reading = read(given);
    if ("problems" in reading) return reading;
    return reading.value === undefined ? { problems: ["is missing"] } : { value: reading.value };
  },
});

/** What is wrong with a value, behind the setting and the value in a sentence. */
export function reasonOf(issue: SchemaIssue, given: unknown, form?: string): string {
  if (form !== undefined && issue.code !== "custom") return `is not of the form ${form}`;
  switch (issue.code) {
    case "invalid_value":
      return `is none of ${issue.values?.join(", ")}${suggestion(String(given), issue.values?.map(String) ?? [])}`;
    case "invalid_type":
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

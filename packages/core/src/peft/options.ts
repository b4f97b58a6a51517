import { z } from "zod";
import { InputError } from "../errors.ts";
import { compilePattern } from "../patterns/pattern.ts";
import { type DefaultedSetting, setting } from "../settings/setting.ts";
import { endMatches, endsIn, isTarget } from "./targets.ts";

/** One option of a method: a setting that has a value where nothing is given. */
export interface Option<T> extends DefaultedSetting<T> {
  /** what in a value selects modules by their paths, each of which has to match one; left out where nothing does */
  selects?(value: T): readonly Selection[];
}

/** A name or a pattern by which an option selects modules. */
export interface Selection {
  readonly text: string;
  readonly kind: "name" | "pattern";
  /** of which modules it has to match one: that the method acts on, that it could act on, or that the model has */
  readonly among: "adapted" | "adaptable" | "all";
  matches(path: string): boolean;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<O extends Options> = {
  readonly [name in keyof O]: O[name] extends Option<infer T> ? T : never;
};

/** What a program may give: values, or for layers and targets also the text that flags take, or a plain list. */
export type OptionInputs<O extends Options> = {
  readonly [name in keyof O]?: O[name] extends Option<infer T> ? OptionInput<T> : never;
};
type OptionInput<T> =
  | T
  | (Layers extends T ? string | readonly number[] : never)
  | (Targets extends T ? string | readonly string[] : never);

type PatternNumber = "positive" | "positive integer" | "integer from 0";

const patternNumbers: Readonly<Record<PatternNumber, z.ZodNumber>> = {
  positive: z.number().positive(),
  "positive integer": z.int().positive(),
  "integer from 0": z.int().nonnegative(),
};

const numberWords: Readonly<Record<PatternNumber, string>> = {
  positive: "above 0",
  "positive integer": "a whole one above 0",
  "integer from 0": "a whole one from 0 on",
};

/** A number for each of some patterns, `q_lin=16,layer.0=4`; of one kind. */
export const numberByPattern = (
  help: string,
  kind: PatternNumber = "positive",
): Option<Readonly<Record<string, number>>> => ({
  ...setting(
    z.preprocess(
      (value) => (typeof value === "string" ? parsePatterns(value) : value),
      z.record(z.string(), patternNumbers[kind]).superRefine((record, { addIssue }) => {
        for (const message of Object.keys(record).flatMap((text) => patternProblem(text) ?? []))
          addIssue({ code: "custom", message });
      }),
    ),
    {
      initial: {},
      help,
      placeholder: "PATTERN=N,…",
      form: `NAME=NUMBER, several joined by commas as in query=16,layer.0=4; each number ${numberWords[kind]}`,
    },
  ),
  selects: (record) =>
    Object.keys(record).map((text) => {
      return { text, kind: "pattern", among: "adapted", matches: (path) => endMatches(path, text) };
    }),
});

function parsePatterns(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(",").map((entry) => {
      const at = entry.lastIndexOf("=");
      return [(at < 0 ? entry : entry.slice(0, at)).trim(), at < 0 ? Number.NaN : Number(entry.slice(at + 1))];
    }),
  );
}

/** Which layers of the stack: `0,2,4-7`, `top:2`, `bottom:3`, or a list of indices; undefined for all of them. */
export type Layers = readonly number[] | { readonly end: "top" | "bottom"; readonly count: number } | undefined;

export const layerList = (help: string): Option<Layers> =>
  setting(
    z.preprocess(
      (value) => (typeof value === "string" ? parseLayers(value) : typeof value === "number" ? [value] : value),
      z.union([
        z.array(z.int().nonnegative()).readonly(),
        z.object({ end: z.enum(["top", "bottom"]), count: z.int().positive() }).readonly(),
        z.undefined(),
      ]),
    ),
    {
      initial: undefined,
      help,
      placeholder: "LIST",
      form: "0,2,4-7 (the first layer is 0), top:N or bottom:N",
    },
  );

function parseLayers(text: string): unknown {
  const end = /^(top|bottom):(\d+)$/.exec(text);
  if (end) return { end: end[1], count: Number(end[2]) };
  return text.split(",").flatMap((part) => {
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (!range) return [/^\d+$/.test(part) ? Number(part) : part];
    const [from, to] = [Number(range[1]), Number(range[2])];
    return to < from || to - from > 10_000 ? [part] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Which modules a method acts on, with PEFT's meaning; undefined for the architecture's convention. */
export type Targets =
  | { readonly kind: "names"; readonly names: readonly string[]; readonly required: boolean }
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "all-linear" }
  | undefined;

export const targetModules = (help: string, among: Selection["among"] = "adaptable"): Option<Targets> => ({
  ...setting(
    z.preprocess(
      (value) =>
        typeof value === "string"
          ? parseTargets(value)
          : Array.isArray(value)
            ? { kind: "names", names: value, required: true }
            : value,
      z.union([
        z.object({ kind: z.literal("names"), names: z.array(z.string()).min(1), required: z.boolean() }).readonly(),
        z.object({ kind: z.literal("pattern"), pattern }).readonly(),
        z.object({ kind: z.literal("all-linear") }).readonly(),
        z.undefined(),
      ]),
    ),
    {
      initial: undefined,
      help,
      placeholder: "NAMES",
      form: "names joined by commas as in query,value, all-linear, or a regular expression",
    },
  ),
  selects(value) {
    if (value?.kind === "pattern")
      return [{ text: value.pattern, kind: "pattern", among, matches: (path) => isTarget(path, value) }];
    if (value?.kind !== "names" || !value.required) return [];
    return value.names.map((text) => ({ text, kind: "name", among, matches: (path) => endsIn(path, text) }));
  },
});

/** Names are words joined by dots and commas, with blanks behind commas or not; anything else is a regular expression. */
function parseTargets(text: string): Targets {
  if (text === "all-linear") return { kind: "all-linear" };
  if (/^\s*[\w.]+(\s*,\s*[\w.]+)*\s*$/.test(text))
    return { kind: "names", names: text.split(",").map((name) => name.trim()), required: true };
  return { kind: "pattern", pattern: text };
}

/** A regular expression of PEFT's, which is Python's. */
const pattern = z
  .string()
  .min(1)
  .max(1000)
  .superRefine((text, { addIssue }) => {
    const message = patternProblem(text);
    if (message !== undefined) addIssue({ code: "custom", message });
  });

function patternProblem(text: string): string | undefined {
  try {
    compilePattern(text, "python");
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return `is not a regular expression: ${error.message}`;
    throw error;
  }
}

import { InputError, methods, suggestion } from "@petl/core";
import { flagName, parseFlags, settingName } from "../flags/flags.ts";
import { chooseMethods, methodFlags } from "../flags/method-flags.ts";
import { trainFlags } from "../flags/train-flags.ts";
import { HttpError } from "./http-error.ts";

/** Flags of `petl train` that are paths, or are said elsewhere in a job. */
const elsewhere: readonly string[] = [
  ...["base", "data", "out", "resume", "overwrite", "init", "validation", "offline", "logTo", "workers", "cacheSize"],
  "report",
];

/** OpenAI's names beside petl's. */
const openai: readonly string[] = ["n_epochs", "batch_size", "learning_rate_multiplier"];

/** The method where none is named. */
const usualMethod = "lora";

/**
 * The flags of `petl train` that a job's hyperparameters stand for, checked as the command line checks them.
 * @throws HttpError 400 that names what is not known or not possible
 */
export function flagsOf(
  given: Readonly<Record<string, unknown>>,
  seed: number | undefined,
  starts: boolean,
): readonly string[] {
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => !openai.includes(name)));
  const values = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [settingName(name), textOf(name, value)]),
  );
  const problems = Object.keys(own).flatMap((name) => unknownName(name) ?? []);
  if (problems.length > 0)
    throw refused(
      problems.join("; "),
      Object.keys(own).find((name) => unknownName(name)),
    );
  if (!starts) values.method ??= usualMethod;
  Object.assign(values, translated(given, values));
  if (seed !== undefined && values.seed !== undefined) throw refused("seed is said twice", "seed");
  if (seed !== undefined) values.seed = String(seed);
  try {
    const { rest } = parseFlags(trainFlags, values, called);
    if (values.method !== undefined) chooseMethods(String(values.method), rest);
    else if (Object.keys(rest).length > 0)
      throw new InputError("options of methods come from the adapter that the job starts from");
  } catch (error) {
    throw error instanceof InputError ? refused(error.message, undefined) : error;
  }
  return Object.entries(values).flatMap(([name, value]) => argumentsOf(name, value));
}

/** A setting's name among a job's hyperparameters. */
const called = (name: string): string => flagName(name).replaceAll("-", "_");

const known = (name: string): boolean =>
  (settingName(name) in trainFlags || methodFlags().some((flag) => flag.name === settingName(name))) &&
  !elsewhere.includes(settingName(name));

function unknownName(name: string): string | undefined {
  if (known(name) && /^[a-z][a-z0-9_]*$/.test(name)) return undefined;
  const names = [...Object.keys(trainFlags), ...methodFlags().map((flag) => flag.name)].filter(known);
  return `there is no hyperparameter "${name}"${suggestion(name, [...openai, ...names.map(called)])}`;
}

/** A value as the command line has it; `true` and `false` are switches. */
function textOf(name: string, value: unknown): string | boolean {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value) && value.every((each) => typeof each === "string" || typeof each === "number"))
    return value.join(",");
  throw refused(`${name} is neither a text, a number, true or false, nor a list of such`, name);
}

function translated(
  given: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const numbers = openai.flatMap((name) => {
    const value = given[name];
    if (value === undefined || value === null || value === "auto") return [];
    if (typeof value !== "number") throw refused(`${name} is neither a number nor "auto"`, name);
    return [[name, value] as const];
  });
  const { n_epochs: epochs, batch_size: batch, learning_rate_multiplier: times } = Object.fromEntries(numbers);
  const rate = methods.find(({ name }) => name === String(values.method).split("+")[0])?.rate;
  const said = { epochs, batch, lr: times !== undefined && rate !== undefined ? times * rate : undefined };
  const found = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  const twice = found.find(([name]) => name in values);
  if (twice) throw refused(`${twice[0]} is said twice, in OpenAI's name and in petl's`, twice[0]);
  return Object.fromEntries(found);
}

const argumentsOf = (name: string, value: unknown): readonly string[] => {
  if (typeof value === "boolean") return [value ? `--${flagName(name)}` : `--no-${flagName(name)}`];
  return [`--${flagName(name)}=${value}`];
};

const refused = (message: string, name: string | undefined) =>
  new HttpError(400, message, {
    param: name === undefined ? "hyperparameters" : `hyperparameters.${name}`,
    code: "invalid_hyperparameter",
  });

import type { Example, ExampleSet } from "../data/rows/examples.ts";
import { InputError, shown } from "../errors.ts";
import { isObject, isRecord } from "../values.ts";
import type { OpenModel } from "./model.ts";
import type { OpenBase } from "./open-base.ts";

/** Whether a value is a model as `adaptTo` and `loadAdapter` give them. */
const isModel = (value: unknown): value is OpenModel =>
  isObject(value) && isObject(value.adapted) && isObject(value.phi) && isObject(value.base);

export const isBase = (value: unknown): value is OpenBase =>
  isObject(value) && isObject(value.model) && isObject(value.engine) && typeof value.close === "function";

/** Whether a value is a set of rows as `openData` gives them. */
export const isRows = (value: unknown): value is ExampleSet =>
  isObject(value) && Array.isArray(value.examples) && value.examples.every(isExample);

const isExample = (value: unknown): value is Example => isObject(value) && typeof value.kind === "string";

/** @throws InputError unless the argument is an open model */
export function requireModel(value: unknown): OpenModel {
  if (isModel(value)) return value;
  throw new InputError(`model is ${what(value)}; it must be a model as adaptTo, loadAdapter or unadapted give it`);
}

/** @throws InputError unless the argument is an open base */
export function requireBase(value: unknown): OpenBase {
  if (isBase(value)) return value;
  throw new InputError(`base is ${what(value)}; it must be a base as openBase gives it`);
}

/** The options of a call. @throws InputError unless they are an object whose `signal`, where there is one, is a signal */
export function requireOptions<T extends object>(value: T | undefined): T {
  if (!isRecord(value)) throw new InputError(`options are ${what(value)}; they must be an object, as in { seed: 1 }`);
  const { signal } = value;
  if (signal === undefined || (isObject(signal) && typeof signal.aborted === "boolean")) return value;
  throw new InputError(`signal is ${what(signal)}; it must be that of an AbortController`);
}

/** @throws InputError unless the argument is a folder's path */
export function requireFolder(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new InputError(`folder is ${what(value)}; it must be a path, as in "my-adapter"`);
}

/** @throws InputError unless the argument is a list of records */
export function requireUsers<T extends object>(value: readonly T[]): readonly T[] {
  const list: unknown = value;
  if (Array.isArray(list) && list.every(isRecord)) return value;
  throw new InputError(`users are ${what(value)}; they must be a list, as in [{ name: "anna", data }]`);
}

/** What somebody gave, in a sentence. */
export const what = (value: unknown): string => (value === undefined ? "missing" : shown(value));

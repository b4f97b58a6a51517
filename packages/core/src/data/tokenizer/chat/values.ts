/** A number with a point in Python, 2.0; whole numbers are plain ones. */
interface Float {
  readonly float: number;
}

/** What a macro or a method is called with. */
export interface Arguments {
  readonly positional: readonly TemplateValue[];
  readonly named: ReadonlyMap<string, TemplateValue>;
}

export interface Callable {
  readonly call: (given: Arguments) => TemplateValue;
}

/** Attributes that a template may set. */
interface Namespace {
  readonly attributes: Map<string, TemplateValue>;
}

/** A value of a template, as Python has it; undefined is Jinja's own. */
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Float
  | readonly TemplateValue[]
  | ReadonlyMap<string, TemplateValue>
  | Namespace
  | Callable;

export const isFloat = (value: TemplateValue): value is Float => isObject(value) && "float" in value;
export const isList = (value: TemplateValue): value is readonly TemplateValue[] => Array.isArray(value);
export const isMapping = (value: TemplateValue): value is ReadonlyMap<string, TemplateValue> => value instanceof Map;
export const isNamespace = (value: TemplateValue): value is Namespace => isObject(value) && "attributes" in value;
export const isCallable = (value: TemplateValue): value is Callable => isObject(value) && "call" in value;
const isObject = (
  value: TemplateValue,
): value is Exclude<TemplateValue, string | number | boolean | null | undefined> =>
  typeof value === "object" && value !== null;

/** What comes from rows and settings, in a template's values. Numbers of 64 bits are numbers. */
export function asValue(given: unknown): TemplateValue {
  if (given === null || given === undefined || typeof given === "string" || typeof given === "boolean") return given;
  if (typeof given === "bigint") return Number(given);
  if (typeof given === "number") return Number.isInteger(given) ? given : { float: given };
  if (Array.isArray(given)) return given.map(asValue);
  if (given instanceof Map) return new Map([...given].map(([key, value]) => [String(key), asValue(value)]));
  if (typeof given === "object") return new Map(Object.entries(given).map(([key, value]) => [key, asValue(value)]));
  throw new Error(`a ${typeof given} is no value of a conversation`);
}

export function isTrue(value: TemplateValue): boolean {
  if (isFloat(value)) return value.float !== 0;
  if (isList(value)) return value.length > 0;
  return isMapping(value) ? value.size > 0 : Boolean(value);
}

/** The number that a value is in arithmetic; truth values are 0 and 1. */
export function numberOf(value: TemplateValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  return isFloat(value) ? value.float : undefined;
}

/** Python's `==`: values of different kinds are different, but numbers. */
export function isEqual(a: TemplateValue, b: TemplateValue): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x === y;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((each, i) => isEqual(each, b[i]));
  if (isMapping(a) && isMapping(b))
    return a.size === b.size && [...a].every(([key, each]) => b.has(key) && isEqual(each, b.get(key)));
  return a === b;
}

/** What kind of thing Python calls a value. */
export function pythonType(value: TemplateValue): string {
  if (value === null) return "None";
  if (value === undefined) return "undefined";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "int";
  if (isFloat(value)) return "float";
  return isList(value) ? "list" : isMapping(value) ? "dict" : isCallable(value) ? "function" : "namespace";
}

/** Python's `str`: what a template writes of a value; undefined is nothing. */
export function pythonText(value: TemplateValue): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : written(value);
}

/** Python's `repr`. */
function written(value: TemplateValue): string {
  if (value === null) return "None";
  if (value === undefined) return "Undefined";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return String(value);
  if (isFloat(value)) return floatText(value.float);
  if (isList(value)) return `[${value.map(written).join(", ")}]`;
  if (isMapping(value)) return `{${[...value].map(([key, each]) => `${quoted(key)}: ${written(each)}`).join(", ")}}`;
  return isNamespace(value) ? `<Namespace ${written(value.attributes)}>` : "<function>";
}

function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t\p{Cc}]/gu, (character) => escapes[character] ?? hexEscape(character));
  return `${mark}${mark === "'" ? escaped.replaceAll("'", "\\'") : escaped}${mark}`;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const hexEscape = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** Python's shortest text of a number with a point. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

interface JsonStyle {
  readonly indent: number | undefined;
  readonly ascii: boolean;
  readonly sorted: boolean;
  readonly separators: readonly [item: string, key: string];
}

/** Python's `json.dumps`. */
export function jsonDumps(value: TemplateValue, style: JsonStyle, depth = 0): string {
  if (depth > 200) throw new Error("JSON is nested deeper than 200");
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (isFloat(value)) return floatText(value.float).replace("inf", "Infinity").replace("nan", "NaN");
  if (typeof value === "string") return jsonText(value, style);
  if (isList(value))
    return joined(
      "[",
      "]",
      value.map((each) => jsonDumps(each, style, depth + 1)),
      style,
      depth,
    );
  if (!isMapping(value)) throw new Error(`Object of type ${pythonType(value)} is not JSON serializable`);
  const entries = style.sorted ? [...value].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) : [...value];
  const fields = entries.map(
    ([key, each]) => `${jsonText(key, style)}${style.separators[1]}${jsonDumps(each, style, depth + 1)}`,
  );
  return joined("{", "}", fields, style, depth);
}

function jsonText(text: string, { ascii }: JsonStyle): string {
  const json = JSON.stringify(text);
  if (!ascii) return json;
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function joined(open: string, close: string, items: readonly string[], style: JsonStyle, depth: number): string {
  const { indent, separators } = style;
  if (indent === undefined || items.length === 0) return `${open}${items.join(separators[0])}${close}`;
  const line = (levels: number) => `\n${" ".repeat(indent * levels)}`;
  return `${open}${line(depth + 1)}${items.join(`${separators[0].trimEnd()}${line(depth + 1)}`)}${line(depth)}${close}`;
}

import { argument, capitalize, countArgument, replaceText, stripped, title } from "./text-methods.ts";
import {
  type Arguments,
  isEqual,
  isFloat,
  isList,
  isMapping,
  isNamespace,
  isTrue,
  jsonDumps,
  numberOf,
  pythonText,
  pythonType,
  type TemplateValue,
} from "./values.ts";

type Filter = (value: TemplateValue, given: Arguments) => TemplateValue;

/** The filters of Jinja that chat templates use, by name. */
const filters: Readonly<Record<string, Filter>> = {
  trim: (value, given) => {
    const characters = argument(given, 0, "chars");
    return stripped(pythonText(value), typeof characters === "string" ? characters : undefined, true, true);
  },
  string: pythonText,
  safe: (value) => value,
  upper: (value) => pythonText(value).toUpperCase(),
  lower: (value) => pythonText(value).toLowerCase(),
  capitalize: (value) => capitalize(pythonText(value)),
  title: (value) => title(pythonText(value)),
  replace: (value, given) =>
    replaceText(
      pythonText(value),
      pythonText(argument(given, 0, "old")),
      pythonText(argument(given, 1, "new")),
      countArgument(argument(given, 2, "count"), -1),
    ),
  length: sizeOf,
  count: sizeOf,
  default: defaultOf,
  d: defaultOf,
  list: iterated,
  first: (value) => iterated(value)[0],
  last: (value) => iterated(value).at(-1),
  reverse: (value) => (typeof value === "string" ? [...value].reverse().join("") : iterated(value).toReversed()),
  unique: (value) => iterated(value).filter((item, at, all) => all.findIndex((other) => isEqual(item, other)) === at),
  sort: (value, given) => sorted(value, given),
  join: (value, given) => {
    const attribute = argument(given, 1, "attribute");
    const items = iterated(value).map((item) => (attribute === undefined ? item : attributeOf(item, attribute)));
    return items.map(pythonText).join(pythonText(argument(given, 0, "d")));
  },
  items: (value) => (isMapping(value) ? [...value].map(([key, each]) => [key, each]) : []),
  dictsort: (value) =>
    isMapping(value)
      ? [...value].sort(([a], [b]) => compare(a.toLowerCase(), b.toLowerCase())).map(([key, each]) => [key, each])
      : [],
  abs: (value) => (isFloat(value) ? { float: Math.abs(value.float) } : Math.abs(number(value))),
  int: (value, given) => {
    const found =
      typeof value === "string"
        ? Number(/^\s*[+-]?\d+\s*$/.test(value) ? value : Number.NaN)
        : Math.trunc(numberOf(value) ?? Number.NaN);
    return Number.isFinite(found) ? found : (argument(given, 0, "default") ?? 0);
  },
  float: (value, given) => {
    const found = typeof value === "string" && value.trim() !== "" ? Number(value) : numberOf(value);
    return found === undefined || Number.isNaN(found)
      ? (argument(given, 0, "default") ?? { float: 0 })
      : { float: found };
  },
  round: (value, given) => {
    const scale = 10 ** countArgument(argument(given, 0, "precision"), 0);
    return { float: Math.round(number(value) * scale) / scale };
  },
  sum: (value) => iterated(value).reduce<number>((all, item) => all + number(item), 0),
  min: (value) => sorted(value)[0],
  max: (value) => sorted(value).at(-1),
  indent: (value, given) => {
    const width = argument(given, 0, "width") ?? 4;
    const indent = typeof width === "string" ? width : " ".repeat(Math.min(1000, countArgument(width, 4)));
    const [first, blank] = [isTrue(argument(given, 1, "first")), isTrue(argument(given, 2, "blank"))];
    return pythonText(value)
      .split("\n")
      .map((line, at) => ((at === 0 && !first) || (line === "" && !blank && at > 0) ? line : indent + line))
      .join("\n");
  },
  tojson: (value, given) => {
    if (value === undefined) throw new Error("Object of type Undefined is not JSON serializable");
    const indent = argument(given, 1, "indent");
    const separators = argument(given, 2, "separators");
    const pair = isList(separators) ? separators.map(pythonText) : [];
    return jsonDumps(value, {
      indent: typeof indent === "number" ? Math.min(100, indent) : undefined,
      ascii: isTrue(argument(given, 0, "ensure_ascii")),
      sorted: isTrue(argument(given, 3, "sort_keys")),
      separators: [pair[0] ?? (typeof indent === "number" ? "," : ", "), pair[1] ?? ": "],
    });
  },
  map: (value, given) => {
    const attribute = given.named.get("attribute");
    if (attribute !== undefined)
      return iterated(value).map((item) => attributeOf(item, attribute) ?? given.named.get("default"));
    const filter = filterNamed(given.positional[0]);
    return iterated(value).map((item) => filter(item, { ...given, positional: given.positional.slice(1) }));
  },
  select: (value, given) => iterated(value).filter((item) => passes(item, given.positional)),
  reject: (value, given) => iterated(value).filter((item) => !passes(item, given.positional)),
  selectattr: (value, { positional: [name, ...test] }) =>
    iterated(value).filter((item) => passes(attributeOf(item, name), test)),
  rejectattr: (value, { positional: [name, ...test] }) =>
    iterated(value).filter((item) => !passes(attributeOf(item, name), test)),
};

/** @throws Error for a name that is no filter's */
export function filterNamed(name: TemplateValue): Filter {
  const filter = typeof name === "string" && Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter) return filter;
  throw new Error(`No filter named ${JSON.stringify(pythonText(name))}.`);
}

/** The tests of Jinja, by the name behind `is`. */
const tests: Readonly<Record<string, (value: TemplateValue, other: TemplateValue) => boolean>> = {
  defined: (value) => value !== undefined,
  undefined: (value) => value === undefined,
  none: (value) => value === null,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  true: (value) => value === true,
  false: (value) => value === false,
  integer: (value) => typeof value === "number",
  float: isFloat,
  number: (value) => numberOf(value) !== undefined,
  mapping: isMapping,
  sequence: (value) => isList(value) || isMapping(value) || typeof value === "string",
  iterable: (value) => isList(value) || isMapping(value) || typeof value === "string" || value === undefined,
  callable: (value) => pythonType(value) === "function",
  odd: (value) => Math.abs(number(value)) % 2 === 1,
  even: (value) => number(value) % 2 === 0,
  lower: (value) => pythonText(value) === pythonText(value).toLowerCase(),
  upper: (value) => pythonText(value) === pythonText(value).toUpperCase(),
  eq: isEqual,
  equalto: isEqual,
  "==": isEqual,
  ne: (value, other) => !isEqual(value, other),
  "!=": (value, other) => !isEqual(value, other),
  in: (value, other) => isIn(value, other),
  gt: (value, other) => order(value, other) > 0,
  ge: (value, other) => order(value, other) >= 0,
  lt: (value, other) => order(value, other) < 0,
  le: (value, other) => order(value, other) <= 0,
};

/** @throws Error for a name that is no test's */
export function testNamed(name: string): (value: TemplateValue, other: TemplateValue) => boolean {
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (test) return test;
  throw new Error(`No test named ${JSON.stringify(name)}.`);
}

function passes(value: TemplateValue, [name, other]: readonly TemplateValue[]): boolean {
  return name === undefined ? isTrue(value) : testNamed(pythonText(name))(value, other);
}

/** Python's `in`; nothing is in what is undefined. */
export function isIn(value: TemplateValue, holder: TemplateValue): boolean {
  if (holder === undefined) return false;
  if (typeof holder === "string") {
    if (typeof value === "string") return holder.includes(value);
    throw new Error(`'in <string>' requires string as left operand, not ${pythonType(value)}`);
  }
  if (isMapping(holder)) return typeof value === "string" && holder.has(value);
  if (isList(holder)) return holder.some((item) => isEqual(item, value));
  throw new Error(`argument of type '${pythonType(holder)}' is not iterable`);
}

/** Below 0 where the first comes first. @throws Error for what Python doesn't order */
export function order(a: TemplateValue, b: TemplateValue): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (typeof a === "string" && typeof b === "string") return compare(a, b);
  throw new Error(`'<' not supported between instances of '${pythonType(a)}' and '${pythonType(b)}'`);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a loop over a value meets: items, keys, characters; nothing where it is undefined. */
export function iterated(value: TemplateValue): readonly TemplateValue[] {
  if (value === undefined) return [];
  if (isList(value)) return value;
  if (isMapping(value)) return [...value.keys()];
  if (typeof value === "string") return [...value];
  throw new Error(`'${pythonType(value)}' object is not iterable`);
}

function sizeOf(value: TemplateValue): number {
  if (value === null || numberOf(value) !== undefined)
    throw new Error(`object of type '${pythonType(value)}' has no len()`);
  return iterated(value).length;
}

function defaultOf(value: TemplateValue, given: Arguments): TemplateValue {
  const isMissing = value === undefined || (isTrue(argument(given, 1, "boolean")) && !isTrue(value));
  return isMissing ? (argument(given, 0, "default_value") ?? "") : value;
}

function sorted(
  value: TemplateValue,
  given: Arguments = { positional: [], named: new Map() },
): readonly TemplateValue[] {
  const attribute = argument(given, 2, "attribute");
  const exact = isTrue(argument(given, 1, "case_sensitive"));
  const key = (item: TemplateValue) => {
    const found = attribute === undefined ? item : attributeOf(item, attribute);
    return typeof found === "string" && !exact ? found.toLowerCase() : found;
  };
  const direction = isTrue(argument(given, 0, "reverse")) ? -1 : 1;
  return iterated(value).toSorted((a, b) => direction * order(key(a), key(b)));
}

/** An attribute by its dotted name. */
function attributeOf(value: TemplateValue, name: TemplateValue): TemplateValue {
  return pythonText(name)
    .split(".")
    .reduce<TemplateValue>((found, part) => {
      if (isMapping(found)) return found.get(part);
      if (isNamespace(found)) return found.attributes.get(part);
      return isList(found) && /^\d+$/.test(part) ? found[Number(part)] : undefined;
    }, value);
}

function number(value: TemplateValue): number {
  const found = numberOf(value);
  if (found !== undefined) return found;
  throw new Error(`a ${pythonType(value)} is no number`);
}

import { type Arguments, type Callable, isList, pythonText, pythonType, type TemplateValue } from "./values.ts";

/** The methods that Python's texts have, by name; the text is the first argument of each. */
const methods: Readonly<Record<string, (text: string, given: Arguments) => TemplateValue>> = {
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  casefold: (text) => text.toLowerCase(),
  capitalize,
  title,
  swapcase: (text) =>
    text.replace(/\p{L}/gu, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    ),
  strip: (text, given) => strip(text, given, true, true),
  lstrip: (text, given) => strip(text, given, true, false),
  rstrip: (text, given) => strip(text, given, false, true),
  removeprefix: (text, given) => (text.startsWith(word(given, 0)) ? text.slice(word(given, 0).length) : text),
  removesuffix: (text, given) =>
    word(given, 0) !== "" && text.endsWith(word(given, 0)) ? text.slice(0, -word(given, 0).length) : text,
  startswith: (text, given) => words(given).some((each) => text.startsWith(each)),
  endswith: (text, given) => words(given).some((each) => text.endsWith(each)),
  split: (text, given) => splitText(text, argument(given, 0, "sep"), limitOf(given), false),
  rsplit: (text, given) => splitText(text, argument(given, 0, "sep"), limitOf(given), true),
  splitlines: (text) => (text === "" ? [] : text.replace(/(\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/)),
  partition: (text, given) => partition(text, word(given, 0), text.indexOf(word(given, 0)), true),
  rpartition: (text, given) => partition(text, word(given, 0), text.lastIndexOf(word(given, 0)), false),
  replace: (text, given) =>
    replaceText(text, word(given, 0), word(given, 1), countArgument(argument(given, 2, "count"), -1)),
  find: (text, given) => text.indexOf(word(given, 0)),
  rfind: (text, given) => text.lastIndexOf(word(given, 0)),
  index: (text, given) => {
    const at = text.indexOf(word(given, 0));
    if (at < 0) throw new Error("substring not found");
    return at;
  },
  count: (text, given) => text.split(word(given, 0)).length - 1,
  join: (text, given) => list(given.positional[0]).join(text),
  isdigit: (text) => /^\p{Nd}+$/u.test(text),
  isnumeric: (text) => /^\p{N}+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isalnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  isspace: (text) => /^\s+$/u.test(text),
  isupper: (text) => text !== text.toLowerCase() && text === text.toUpperCase(),
  islower: (text) => text !== text.toUpperCase() && text === text.toLowerCase(),
  zfill: (text, given) => padded(text, given, "0"),
  ljust: (text, given) => text + padding(text, given),
  rjust: (text, given) => padding(text, given) + text,
};

/** A method of a text, bound to it; undefined where Python has none of that name, or none that a template needs. */
export function textMethod(text: string, name: string): Callable | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  return method && { call: (given) => method(text, given) };
}

export function capitalize(text: string): string {
  const [first = ""] = text;
  return first.toUpperCase() + text.slice(first.length).toLowerCase();
}

export function title(text: string): string {
  return text.replace(/\p{L}+/gu, (letters) => capitalize(letters));
}

/** Without the characters of a set at its ends; blanks where no set is given. */
function strip(text: string, given: Arguments, atStart: boolean, atEnd: boolean): string {
  const characters = given.positional[0] ?? null;
  return stripped(text, characters === null ? undefined : word(given, 0), atStart, atEnd);
}

export function stripped(text: string, characters: string | undefined, atStart: boolean, atEnd: boolean): string {
  const set = characters === undefined ? undefined : new Set(characters);
  const isBlank = (character: string) => (set ? set.has(character) : /\p{White_Space}/u.test(character));
  const all = [...text];
  let [start, end] = [0, all.length];
  while (atStart && start < end && isBlank(all[start] ?? "")) start++;
  while (atEnd && end > start && isBlank(all[end - 1] ?? "")) end--;
  return all.slice(start, end).join("");
}

function splitText(text: string, separator: TemplateValue, limit: number, fromEnd: boolean): readonly string[] {
  if (separator === null || separator === undefined) return splitBlanks(text, limit, fromEnd);
  if (typeof separator !== "string") throw new Error(`must be str or None, not ${pythonType(separator)}`);
  if (separator === "") throw new Error("empty separator");
  const parts = text.split(separator);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  return fromEnd
    ? [parts.slice(0, parts.length - limit).join(separator), ...parts.slice(parts.length - limit)]
    : [...parts.slice(0, limit), parts.slice(limit).join(separator)];
}

function splitBlanks(text: string, limit: number, fromEnd: boolean): readonly string[] {
  const found = [...text.matchAll(/\S+/g)];
  if (limit < 0 || found.length <= limit + 1) return found.map(([each]) => each);
  if (fromEnd) {
    const kept = found.slice(found.length - limit);
    return [text.slice(0, kept[0]?.index ?? text.length).trim(), ...kept.map(([each]) => each)];
  }
  return [...found.slice(0, limit).map(([each]) => each), text.slice(found[limit]?.index ?? text.length)];
}

function partition(text: string, separator: string, at: number, first: boolean): readonly string[] {
  if (separator === "") throw new Error("empty separator");
  if (at < 0) return first ? [text, "", ""] : ["", "", text];
  return [text.slice(0, at), separator, text.slice(at + separator.length)];
}

export function replaceText(text: string, old: string, by: string, limit: number): string {
  if (limit < 0) return text.split(old).join(by);
  const parts = text.split(old);
  const replaced = Math.min(limit, parts.length - 1);
  return (
    parts.slice(0, replaced + 1).join(by) +
    (replaced + 1 < parts.length ? old + parts.slice(replaced + 1).join(old) : "")
  );
}

const limitOf = (given: Arguments): number => countArgument(argument(given, 1, "maxsplit"), -1);

export const argument = ({ positional, named }: Arguments, at: number, name: string): TemplateValue =>
  positional[at] ?? named.get(name);

export function countArgument(value: TemplateValue, usual: number): number {
  if (value === undefined || value === null) return usual;
  if (typeof value === "number") return value;
  throw new Error(`'${pythonType(value)}' object cannot be interpreted as an integer`);
}

function word({ positional }: Arguments, at: number): string {
  const value = positional[at];
  if (typeof value === "string") return value;
  throw new Error(`expected str, not ${pythonType(value)}`);
}

/** One text, or several of which any will do. */
const words = (given: Arguments): readonly string[] => {
  const [first] = given.positional;
  return isList(first) ? first.map(pythonText) : [word(given, 0)];
};

function list(value: TemplateValue): readonly string[] {
  if (typeof value === "string") return [...value];
  if (!isList(value)) throw new Error("can only join an iterable");
  return value.map((item, at) => {
    if (typeof item === "string") return item;
    throw new Error(`sequence item ${at}: expected str instance, ${pythonType(item)} found`);
  });
}

function padding(text: string, given: Arguments, usual = " "): string {
  const width = countArgument(given.positional[0], 0);
  if (width > 10_000) throw new Error(`a width of ${width} is more than 10000`);
  return (typeof given.positional[1] === "string" ? given.positional[1] : usual).repeat(
    Math.max(0, width - [...text].length),
  );
}

function padded(text: string, given: Arguments, zero: string): string {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return (
    sign +
    padding(text, { positional: given.positional.slice(0, 1), named: given.named }, zero) +
    text.slice(sign.length)
  );
}

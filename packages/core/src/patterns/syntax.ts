import { type CharacterTest, characterClass, escapedClass, literal, type PatternFlags } from "./characters.ts";
import { PatternError } from "./pattern-error.ts";

/** A regular expression as a tree. */
export type Expression =
  | { readonly kind: "character"; readonly test: CharacterTest }
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  | { readonly kind: "choice"; readonly items: readonly Expression[] }
  | {
      readonly kind: "repeat";
      readonly item: Expression;
      readonly least: number;
      readonly most: number;
      readonly greedy: boolean;
    }
  | { readonly kind: "look"; readonly item: Expression; readonly ahead: boolean; readonly negative: boolean }
  | { readonly kind: "place"; readonly place: TextPlace };

/** What a pattern may ask of a place in the text. */
export type TextPlace = "start" | "end" | "last line's end" | "word boundary" | "inside or outside of a word";

/** Whose syntax a pattern is written in: they differ in names of groups, flags, and what is an escape. */
export type Dialect = "javascript" | "python";

interface Reading extends PatternFlags {
  readonly source: string;
  readonly dialect: Dialect;
  at: number;
  ignoreCase: boolean;
  dotAll: boolean;
  depth: number;
}

/** Nobody writes longer or deeper ones. */
const longest = 10_000;
const deepest = 100;
const mostCopies = 1000;

/**
 * The tree of a regular expression: JavaScript's with the flag u, or Python's `re`. What needs backtracking to be
 * matched is refused: references to groups, conditions.
 *
 * @throws PatternError naming the construct and its place
 */
export function parsePattern(source: string, dialect: Dialect): Expression {
  if (source.length > longest) throw new PatternError(`${source.length} characters are more than ${longest}`);
  const reading: Reading = { source, dialect, at: 0, ignoreCase: false, dotAll: false, depth: 0, classes: new Map() };
  if (dialect === "python") readGlobalFlags(reading);
  const tree = readChoice(reading);
  if (reading.at < source.length) fail(reading, 'a ")" that closes nothing');
  return tree;
}

/** (?i) and its kin, which Python allows at the start. */
function readGlobalFlags(reading: Reading): void {
  for (let found = flagsAt(reading, /^\(\?([aimsLux]+)\)/); found; found = flagsAt(reading, /^\(\?([aimsLux]+)\)/)) {
    setFlags(reading, found[1] ?? "", true);
    reading.at += found[0].length;
  }
}

const flagsAt = ({ source, at }: Reading, form: RegExp): RegExpExecArray | null => form.exec(source.slice(at, at + 20));

function setFlags(reading: Reading, flags: string, on: boolean): void {
  for (const flag of flags) {
    if (flag === "i") reading.ignoreCase = on;
    else if (flag === "s") reading.dotAll = on;
    else if (flag !== "u") fail(reading, `the flag "${flag}"`);
  }
}

function readChoice(reading: Reading): Expression {
  if (++reading.depth > deepest) fail(reading, `groups nested deeper than ${deepest}`);
  const items = [readSequence(reading)];
  while (take(reading, "|")) items.push(readSequence(reading));
  reading.depth--;
  return items.length === 1 ? items[0]! : { kind: "choice", items };
}

function readSequence(reading: Reading): Expression {
  const items: Expression[] = [];
  while (reading.at < reading.source.length && !"|)".includes(reading.source[reading.at]!)) {
    const atom = readAtom(reading);
    if (atom) items.push(readQuantifiers(reading, atom));
  }
  return { kind: "sequence", items };
}

function readQuantifiers(reading: Reading, item: Expression): Expression {
  const start = reading.at;
  const [least, most] = readBounds(reading) ?? [1, 1];
  if (reading.at === start) return item;
  if (item.kind === "look" || item.kind === "place") fail(reading, "a repeated place");
  if (most < least || least > mostCopies || (most > mostCopies && Number.isFinite(most)))
    fail(reading, `the repetition {${least},${most}}`);
  const greedy = !take(reading, "?");
  if (reading.source[reading.at] === "+" && greedy) fail(reading, "a possessive repetition");
  if (/^(\*|\+|\?|\{\d)/.test(reading.source.slice(reading.at, reading.at + 2)))
    fail(reading, "a repetition of a repetition");
  return { kind: "repeat", item, least, most, greedy };
}

function readBounds(reading: Reading): readonly [number, number] | undefined {
  if (take(reading, "*")) return [0, Number.POSITIVE_INFINITY];
  if (take(reading, "+")) return [1, Number.POSITIVE_INFINITY];
  if (take(reading, "?")) return [0, 1];
  const found = /^\{(\d*)(,?)(\d*)\}/.exec(reading.source.slice(reading.at, reading.at + 30));
  if (!found || (found[1] === "" && found[3] === "")) return undefined;
  reading.at += found[0].length;
  const least = Number(found[1]);
  return [least, found[2] === "" ? least : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3])];
}

/** Undefined for a comment. */
function readAtom(reading: Reading): Expression | undefined {
  const { source, dialect } = reading;
  const character = String.fromCodePoint(source.codePointAt(reading.at) ?? 0);
  reading.at += character.length;
  switch (character) {
    case "(":
      return readGroup(reading);
    case "[": {
      const { test, end } = characterClass(source, reading.at, reading);
      reading.at = end;
      return { kind: "character", test };
    }
    case ".":
      return { kind: "character", test: reading.dotAll ? () => true : dialect === "python" ? notLineFeed : notLineEnd };
    case "^":
      return { kind: "place", place: "start" };
    case "$":
      return { kind: "place", place: dialect === "python" ? "last line's end" : "end" };
    case "\\":
      return readEscape(reading);
    case "*":
    case "+":
    case "?":
      return fail(reading, `"${character}" that repeats nothing`);
    default:
      return { kind: "character", test: literal(character.codePointAt(0) ?? 0, reading.ignoreCase) };
  }
}

const notLineFeed: CharacterTest = (code) => code !== 0x0a;
const notLineEnd: CharacterTest = (code) => code !== 0x0a && code !== 0x0d && code !== 0x2028 && code !== 0x2029;

const looks: readonly (readonly [string, boolean, boolean])[] = [
  ["?=", true, false],
  ["?!", true, true],
  ["?<=", false, false],
  ["?<!", false, true],
];

function readGroup(reading: Reading): Expression | undefined {
  const outer = { ignoreCase: reading.ignoreCase, dotAll: reading.dotAll };
  if (take(reading, "?#")) {
    const end = reading.source.indexOf(")", reading.at);
    if (end < 0) fail(reading, "a comment without an end");
    reading.at = end + 1;
    return undefined;
  }
  const look = looks.find(([mark]) => take(reading, mark));
  if (!look) readGroupHead(reading);
  const inner = readChoice(reading);
  if (!take(reading, ")")) fail(reading, 'a "(" without its ")"');
  Object.assign(reading, outer);
  return look ? { kind: "look", item: inner, ahead: look[1], negative: look[2] } : inner;
}

/** What stands between "(" and a group's contents: nothing, ?:, a name, flags that hold inside. */
function readGroupHead(reading: Reading): void {
  if (!take(reading, "?") || take(reading, ":")) return;
  const named = flagsAt(reading, reading.dialect === "python" ? /^P<\w+>/ : /^<\w+>/);
  const flags = named ? null : flagsAt(reading, /^([aimsLux]*)(?:-([imsx]+))?:/);
  if (!named && !flags) fail(reading, `the group "(?${reading.source.slice(reading.at, reading.at + 2)}"`);
  if (flags) {
    setFlags(reading, flags[1] ?? "", true);
    setFlags(reading, flags[2] ?? "", false);
  }
  reading.at += (named ?? flags)?.[0].length ?? 0;
}

const places: Readonly<Record<string, TextPlace>> = {
  b: "word boundary",
  B: "inside or outside of a word",
  A: "start",
  Z: "end",
  z: "end",
};

function readEscape(reading: Reading): Expression {
  const next = reading.source[reading.at] ?? "";
  const place = places[next];
  if (place !== undefined && (reading.dialect === "python" || "bB".includes(next))) {
    reading.at++;
    return { kind: "place", place };
  }
  if (/[1-9]/.test(next) || next === "k" || next === "g") fail(reading, "a reference to a group");
  const { test, end } = escapedClass(reading.source, reading.at, reading);
  reading.at = end;
  return { kind: "character", test };
}

function take(reading: Reading, text: string): boolean {
  if (!reading.source.startsWith(text, reading.at)) return false;
  reading.at += text.length;
  return true;
}

function fail({ source, at }: Reading, what: string): never {
  throw new PatternError(
    `${what} is not understood, near ${JSON.stringify(source.slice(Math.max(0, at - 5), at + 15))}`,
  );
}

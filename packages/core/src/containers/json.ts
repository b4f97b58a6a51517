import { InputError } from "../errors.ts";
import { parsedJson } from "../values.ts";

/** The value of a JSON text; an InputError names `source`, line and column of the first fault. */
export function parseJson(text: string, source: string): unknown {
  refuseDepth(text, source);
  const value = parsedJson(text);
  if (value !== undefined) return value;
  checkJson({ text, source, maxDepth: deepest, uniqueKeys: false, at: 0 });
  throw new InputError(`${source}: is not valid JSON`);
}

/**
 * The value of a JSON text from a stranger: also refuses an object that has a key twice, on which readers disagree,
 * and arrays and objects nested deeper than `maxDepth`, before anything of their size is allocated.
 */
export function parseStrictJson(text: string, source: string, maxDepth: number): unknown {
  checkJson({ text, source, maxDepth, uniqueKeys: true, at: 0 });
  return JSON.parse(text);
}

/**
 * The text of a JSON object with some fields set, or left out where undefined is given. The text of all others stays as it
 * is: 30.0 does not become 30, which a strict reader in Python takes for another type.
 */
export function withFields(text: string, source: string, changes: Readonly<Record<string, unknown>>): string {
  const fields = new Map<string, string>();
  checkJson({ text, source, maxDepth: deepest, uniqueKeys: false, at: 0, fields });
  if (!text.trimStart().startsWith("{")) throw new InputError(`${source}: must be an object`);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) fields.delete(key);
    else fields.set(key, JSON.stringify(value, null, 2).replaceAll("\n", "\n  "));
  }
  const lines = [...fields].map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** What walks through a value would end in the middle of a deeper one. */
const deepest = 1000;

/** Counts brackets outside of strings, so that a text that is no JSON may be refused for what follows its fault. */
function refuseDepth(text: string, source: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = stringEnd(text, at);
    else if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
    if (depth > deepest) throw new InputError(`${source}: nested deeper than ${deepest}`);
  }
}

/** Where the string that begins at a quotation mark ends. */
function stringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at < 0 ? text.length : at;
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === 0x5c) first--;
  return (at - first) % 2 === 1;
}

interface Check {
  readonly text: string;
  readonly source: string;
  readonly maxDepth: number;
  readonly uniqueKeys: boolean;
  /** The index of the next character. */
  at: number;
  /** Where present, receives the texts of the outermost object's values. */
  readonly fields?: Map<string, string>;
}

/** Throws at the first character that RFC 8259 doesn't allow. */
function checkJson(check: Check): void {
  checkValue(check, 0);
  if (check.at < check.text.length) fail(check, "the end of the text");
}

function checkValue(check: Check, depth: number): void {
  skipSpace(check);
  const { text, at } = check;
  const next = text[at];
  if (next === "{" || next === "[") {
    if (depth >= check.maxDepth) failWith(check, at, `nested deeper than ${check.maxDepth}`);
    if (next === "{") checkObject(check, depth + 1);
    else checkArray(check, depth + 1);
  } else if (next === '"') checkString(check);
  else if (next === "-" || isDigit(text.charCodeAt(at))) checkNumber(check);
  else {
    const word = ["true", "false", "null"].find((allowed) => text.startsWith(allowed, at));
    if (!word) fail(check, "a value");
    check.at += word.length;
  }
  skipSpace(check);
}

function checkObject(check: Check, depth: number): void {
  const keys = new Set<string>();
  check.at++;
  skipSpace(check);
  if (take(check, "}")) return;
  do {
    skipSpace(check);
    const start = check.at;
    if (check.text[start] !== '"') fail(check, "a key in double quotes");
    checkString(check);
    const literal = check.text.slice(start, check.at);
    if (check.uniqueKeys) {
      const key = keyText(literal);
      if (keys.has(key)) failWith(check, start, `the key ${quote(key)} appears twice`);
      keys.add(key);
    }
    skipSpace(check);
    if (!take(check, ":")) fail(check, '":"');
    const value = check.at;
    checkValue(check, depth);
    if (depth === 1) check.fields?.set(keyText(literal), check.text.slice(value, check.at).trim());
  } while (take(check, ","));
  if (!take(check, "}")) fail(check, '"," or "}"');
}

function checkArray(check: Check, depth: number): void {
  check.at++;
  skipSpace(check);
  if (take(check, "]")) return;
  do checkValue(check, depth);
  while (take(check, ","));
  if (!take(check, "]")) fail(check, '"," or "]"');
}

function checkString(check: Check): void {
  const { text } = check;
  for (check.at++; check.at < text.length; check.at++) {
    const code = text.charCodeAt(check.at);
    if (code === 0x22) {
      check.at++;
      return;
    }
    if (code < 0x20) fail(check, "no raw control character in a string");
    if (code === 0x5c) checkEscape(check);
  }
  fail(check, 'a closing "');
}

/** Leaves `at` on the escape's last character. */
function checkEscape(check: Check): void {
  const { text } = check;
  check.at++;
  if (text[check.at] === "u") {
    if (!/^[0-9a-fA-F]{4}$/.test(text.slice(check.at + 1, check.at + 5)))
      fail(check, "four hexadecimal digits after \\u");
    check.at += 4;
  } else if (check.at >= text.length || !'"\\/bfnrt'.includes(text[check.at]!)) fail(check, "an escape that JSON has");
}

function checkNumber(check: Check): void {
  take(check, "-");
  if (!take(check, "0")) digits(check, "a digit");
  if (take(check, ".")) digits(check, "a digit");
  if (take(check, "e") || take(check, "E")) {
    if (!take(check, "+")) take(check, "-");
    digits(check, "a digit");
  }
}

function digits(check: Check, wanted: string): void {
  const start = check.at;
  while (isDigit(check.text.charCodeAt(check.at))) check.at++;
  if (check.at === start) fail(check, wanted);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function skipSpace(check: Check): void {
  const { text } = check;
  for (;;) {
    const code = text.charCodeAt(check.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    check.at++;
  }
}

function take(check: Check, character: string): boolean {
  if (check.text[check.at] !== character) return false;
  check.at++;
  return true;
}

/** Two spellings of a key ("a" and "\u0061") are one key. */
function keyText(literal: string): string {
  return literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1);
}

function fail(check: Check, wanted: string): never {
  const found =
    check.at < check.text.length ? quote(String.fromCodePoint(check.text.codePointAt(check.at)!)) : "the end";
  return failWith(check, check.at, `found ${found} where JSON needs ${wanted}`);
}

function failWith({ text, source }: Check, at: number, problem: string): never {
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < at; end = text.indexOf("\n", end + 1)) {
    line++;
    lineStart = end + 1;
  }
  throw new InputError(`${source}: line ${line}, column ${at - lineStart + 1}: ${problem}`);
}

/** A text from a file for a message: quoted, control characters escaped, at most 100 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

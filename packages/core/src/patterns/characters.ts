import { PatternError } from "./pattern-error.ts";

/** Whether a character, by its code point, is one of those that a pattern means. */
export type CharacterTest = (code: number) => boolean;

/** What holds while a pattern is read. */
export interface PatternFlags {
  readonly ignoreCase: boolean;
  /** JavaScript's classes that the pattern has named, each with what is known of its characters */
  readonly classes: Map<string, CharacterTest>;
}

/** One character, or its other case too. */
export function literal(code: number, ignoreCase: boolean): CharacterTest {
  if (!ignoreCase) return (other) => other === code;
  const cases = casesOf(code);
  return (other) => cases.has(other);
}

/** A character in lower and upper case. */
function casesOf(code: number): ReadonlySet<number> {
  const text = String.fromCodePoint(code);
  const both = [text, text.toLowerCase(), text.toUpperCase()].filter((one) => [...one].length === 1);
  return new Set(both.map((one) => one.codePointAt(0) ?? code));
}

/** What letters behind a backslash mean, as classes of JavaScript's with the flag u. */
const escapes: Readonly<Record<string, string>> = {
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: "[\\p{L}\\p{N}_]",
  W: "[^\\p{L}\\p{N}_]",
  s: "\\s",
  S: "\\S",
};

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, "0": 0 };

interface Found {
  readonly test: CharacterTest;
  /** the index behind it */
  readonly end: number;
  /** the character, where it is one alone */
  readonly code?: number;
}

/** What an escape means; `at` is the index behind its backslash. */
export function escapedClass(source: string, at: number, { ignoreCase, classes }: PatternFlags): Found {
  const letter = source[at] ?? "";
  const known = escapes[letter];
  if (known !== undefined) return { test: tested(known, classes), end: at + 1 };
  const property = /^([pP])\{([A-Za-z_]+(?:=[A-Za-z_]+)?)\}/.exec(source.slice(at, at + 60));
  if (property) return { test: tested(`\\${property[1]}{${property[2]}}`, classes), end: at + property[0].length };
  const hex = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|u\{([\da-fA-F]{1,6})\})/.exec(
    source.slice(at, at + 12),
  );
  const given = hex ? Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? hex[4] ?? "", 16) : controls[letter];
  const code = given ?? source.codePointAt(at);
  if (code === undefined || code > 0x10ffff || (given === undefined && /[A-Za-z0-9]/.test(letter)))
    throw new PatternError(`the escape "\\${letter}" is not understood`);
  const length = hex ? hex[0].length : String.fromCodePoint(code).length;
  return { test: literal(code, ignoreCase), end: at + (given === undefined || hex ? length : 1), code };
}

/** A set of characters; `start` is the index behind its bracket. */
export function characterClass(source: string, start: number, flags: PatternFlags): Found {
  const negative = source[start] === "^";
  const first = negative ? start + 1 : start;
  const parts: CharacterTest[] = [];
  let at = first;
  while (source[at] !== "]" || at === first) {
    if (at >= source.length) throw new PatternError('a "[" has no "]"');
    if (source[at] === "[" && source[at + 1] === ":") throw new PatternError("a class of POSIX is not understood");
    const low = member(source, at, flags);
    const isRange = source[low.end] === "-" && source[low.end + 1] !== "]" && low.end + 1 < source.length;
    if (!isRange) parts.push(low.test);
    const high = isRange ? member(source, low.end + 1, flags) : low;
    if (isRange) parts.push(range(low.code, high.code, flags));
    at = high.end;
  }
  const some: CharacterTest = (code) => parts.some((test) => test(code));
  return { test: remembered(negative ? (code) => !some(code) : some), end: at + 1 };
}

function member(source: string, at: number, flags: PatternFlags): Found {
  if (source[at] === "\\") return source[at + 1] === "b" ? backspace(at) : escapedClass(source, at + 1, flags);
  const code = source.codePointAt(at) ?? 0;
  return { test: literal(code, flags.ignoreCase), end: at + String.fromCodePoint(code).length, code };
}

const backspace = (at: number): Found => ({ test: (code) => code === 8, end: at + 2, code: 8 });

function range(low: number | undefined, high: number | undefined, { ignoreCase }: PatternFlags): CharacterTest {
  if (low === undefined || high === undefined || low > high)
    throw new PatternError("a range of characters needs two of them, the lower one first");
  const within: CharacterTest = (code) => code >= low && code <= high;
  return ignoreCase ? (code) => within(code) || [...casesOf(code)].some(within) : within;
}

/** One of JavaScript's own classes. */
function tested(name: string, classes: PatternFlags["classes"]): CharacterTest {
  const known = classes.get(name);
  if (known) return known;
  try {
    const expression = new RegExp(`^${name}$`, "u");
    const test = remembered((code) => expression.test(String.fromCodePoint(code)));
    classes.set(name, test);
    return test;
  } catch {
    throw new PatternError(`the class ${name} is not known`);
  }
}

/** A test that is asked once for each character. */
function remembered(test: CharacterTest): CharacterTest {
  const answers = new Uint8Array(128);
  const others = new Map<number, boolean>();
  const ask = (code: number) => {
    const answer = test(code);
    if (code >= answers.length) others.set(code, answer);
    else answers[code] = answer ? 2 : 1;
    return answer;
  };
  return (code) => {
    const known = answers[code];
    if (known === undefined) return others.get(code) ?? ask(code);
    return known === 0 ? ask(code) : known === 2;
  };
}

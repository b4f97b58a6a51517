import { InputError } from "../errors.ts";
import { walk } from "./machine.ts";
import { PatternError } from "./pattern-error.ts";
import { compileProgram, type PatternProgram } from "./program.ts";
import { type Dialect, parsePattern } from "./syntax.ts";

/** Where a pattern was found, by indices of the text. */
interface Found {
  readonly start: number;
  readonly end: number;
}

/** A regular expression that takes no longer than the text's length times its own. */
interface Pattern {
  /** Whether all of a text is what the pattern means. */
  matches(text: string): boolean;
  /** Every place of a text where the pattern is, one behind the other, as `matchAll` gives them. */
  findAll(text: string): Iterable<Found>;
}

/**
 * A pattern that comes from anyone. Its matcher tries the ways that a pattern leaves in the order in which backtracking
 * would, so that it finds what Python and JavaScript find, but no way twice from the same place: of a place and a step
 * that led to nothing it is remembered that they do. So a text takes steps in proportion to its length and the
 * pattern's, whatever the pattern; what a pattern looks at ahead is counted apart, and bounded.
 *
 * @throws InputError for what is no pattern, and for references to groups, which no such matcher can follow
 * Source: Cox 2010, Regular Expression Matching: the Virtual Machine Approach (RE2's bit-state machine)
 */
export function compilePattern(source: string, dialect: Dialect): Pattern {
  const program = named(source, () => compileProgram(parsePattern(source, dialect)));
  return {
    matches: (text) => named(source, () => machine(program, text, text.length)(0)) !== undefined,
    *findAll(text) {
      const run = named(source, () => machine(program, text));
      for (let start = 0; start <= text.length; ) {
        const end = named(source, () => run(start));
        if (end !== undefined) yield { start, end };
        start = end === undefined || end === start ? start + widthAt(text, start) : end;
      }
    },
  };
}

function named<T>(source: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const shown = source.length > 100 ? `${source.slice(0, 100)}…` : source;
    throw new InputError(`the pattern ${JSON.stringify(shown)}: ${error.message}`);
  }
}

const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

/** Steps for each character of the text and each step of the program: ways ahead may be walked more than once. */
const patience = 20;
/** The most bits that are remembered of a text. */
const mostMarks = 2 ** 30;

/** Gives for a place of the text where the pattern that begins there ends; undefined where none does. */
function machine(program: PatternProgram, text: string, end?: number): (start: number) => number | undefined {
  const { steps, splits } = program;
  const size = (text.length + 1) * splits;
  if (size > mostMarks) throw new PatternError(`a text of ${text.length} characters is too long for it`);
  const marks = new Uint8Array(Math.ceil(size / 8));
  const isFirst = (mark: number) => {
    const bit = 1 << (mark & 7);
    const byte = marks[mark >> 3]!;
    marks[mark >> 3] = byte | bit;
    return (byte & bit) === 0;
  };
  const budget = { left: 10_000 + patience * (text.length + 1) * (steps.length + 10) };
  return (start) => {
    const found = walk(program, { text, start, end, isFirst, budget });
    // what led to a match may do so again for one that begins where it ends
    if (found !== undefined)
      for (let mark = found * splits; mark < (found + 1) * splits; mark++) marks[mark >> 3]! &= ~(1 << (mark & 7));
    return found;
  };
}

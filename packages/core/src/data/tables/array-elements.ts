import { InputError } from "../../errors.ts";
import { ascending } from "./text.ts";
import { mostRowLetters } from "./text-pieces.ts";

/** The text of an element, which may be no JSON, and the line on which it begins. */
export type ArrayElement = readonly [text: string, line: number];

/** Cuts a JSON array that comes in pieces of text into its elements. */
export interface ArrayCutter {
  /** The elements that end in the next piece. @throws InputError: commas without rows, something behind the array */
  elementsIn(piece: string): Iterable<ArrayElement>;
  /** What is to be said when no piece is left. @throws InputError where the array is not over */
  end(): void;
}

const [tab, feed, carriageReturn, blank, quote, comma, backslash] = [9, 10, 13, 32, 34, 44, 92];
const [openList, closeList, openRecord, closeRecord] = [91, 93, 123, 125];

/**
 * Only brackets, commas and strings are looked at, so that whoever parses an element can name its line. A line ends a string
 * that is not closed. Of what was read only the element that is not over is kept.
 */
export function arrayCutter(name: string): ArrayCutter {
  let [depth, isOver, feeds, returns] = [0, false, 0, 0];
  /** the lines of the element that is not over and of the comma that no row has followed yet; 0 where there is none */
  let [began, parted] = [0, 0];
  /** of that element what earlier pieces held, and whether they ended within a string, and there behind a backslash */
  let [held, heldLetters, inString, isEscaped]: [string[], number, boolean, boolean] = [[], 0, false, false];
  const line = () => 1 + (feeds || returns);
  const taken = (text: string): ArrayElement => {
    const element = [held.length === 0 ? text : [...held, text].join(""), began] as const;
    [held, heldLetters, began] = [[], 0, 0];
    return element;
  };
  const hold = (text: string) => {
    held.push(text);
    heldLetters += text.length;
    if (heldLetters > mostRowLetters)
      throw new InputError(`${name} line ${began}: a row begins here and never ends, or far behind`);
  };
  /** The place of the quote that closes a string, or in front of the line's end; the piece's length where it goes on. */
  const stringEnd = (piece: string, from: number, feedAt: number, quoteFrom: (from: number) => number): number => {
    let end = quoteFrom(from);
    while (end < feedAt && backslashes(piece, from, end) % 2 === 1) end = quoteFrom(end + 1);
    inString = end === piece.length && feedAt === end;
    isEscaped = inString && backslashes(piece, from, end) % 2 === 1;
    return end < feedAt ? end : feedAt - (inString ? 0 : 1);
  };
  function* elementsIn(piece: string): Iterable<ArrayElement> {
    if (piece === "") return; // it would end what a backslash at the end of the one before escapes
    const [quoteFrom, feedFrom] = [ascending(piece, '"'), ascending(piece, "\n")];
    let [at, start] = [0, 0];
    if (inString) {
      at = isEscaped && piece.charCodeAt(0) !== feed ? 1 : 0;
      at = stringEnd(piece, at, feedFrom(at), quoteFrom) + 1;
    }
    for (; at < piece.length; at++) {
      const letter = piece.charCodeAt(at);
      if (letter === feed) feeds += 1;
      else if (letter === carriageReturn) returns += 1;
      else if (letter !== blank && letter !== tab) {
        if (depth === 0 && (isOver || letter !== openList))
          throw new InputError(
            `${name} line ${line()}: ${isOver ? behind(letter) : 'expected "[", the start of an array of rows'}`,
          );
        if (depth === 1 && (letter === comma || letter === closeList)) {
          if (began > 0) yield taken(piece.slice(start, at));
          else if (letter === comma || parted > 0)
            throw new InputError(`${name} line ${parted || line()}: a comma that parts no two rows`);
          parted = letter === comma ? line() : 0;
        } else if (depth === 1 && began === 0) [began, start] = [line(), at];
        if (letter === openList || letter === openRecord) depth += 1;
        else if (letter === quote) at = stringEnd(piece, at + 1, feedFrom(at), quoteFrom);
        else if (letter === closeList || (letter === closeRecord && depth > 1)) depth -= 1;
        isOver = depth === 0;
      }
    }
    if (began > 0) hold(piece.slice(start));
  }
  return {
    elementsIn,
    end() {
      if (isOver) return;
      const where = began > 0 ? `; the row that begins on line ${began} is not complete` : "";
      throw new InputError(`${name} line ${line()}: the array never ends${where}`);
    },
  };
}

/** What stands behind an array's end: another array, where a file has a list a line. */
const behind = (letter: number): string =>
  letter === openList
    ? 'another array follows the first one; each line is an object, as {"text": "…", "label": "…"}, or all rows stand in one array'
    : "something follows the array's end";

/** How many backslashes stand in front of a place, one behind the other. */
function backslashes(text: string, from: number, to: number): number {
  let first = to;
  while (first > from && text.charCodeAt(first - 1) === backslash) first -= 1;
  return to - first;
}

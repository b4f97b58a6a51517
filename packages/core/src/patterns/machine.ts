import { PatternError } from "./pattern-error.ts";
import type { PatternProgram, Step } from "./program.ts";
import type { TextPlace } from "./syntax.ts";

/** One walk of a program through a text. */
interface Walk {
  readonly text: string;
  readonly start: number;
  /** where a match must end; anywhere where left out */
  readonly end: number | undefined;
  /** whether a split, told by its number and place, is met for the first time; a second time leads to nothing new */
  readonly isFirst: (mark: number) => boolean;
  /** how many more steps all walks through the text may take */
  readonly budget: { left: number };
}

/**
 * Where the match ends that backtracking would find first; undefined where there is none.
 * @throws PatternError where the steps are used up
 */
export function walk({ steps, splits }: PatternProgram, given: Walk): number | undefined {
  const { text, end, isFirst, budget } = given;
  const pending: number[] = [0, given.start];
  while (pending.length > 0) {
    let at = pending.pop()!;
    let step = pending.pop()!;
    for (let goes = true; goes; ) {
      if (--budget.left < 0) throw new PatternError(`it takes too long on a text of ${text.length} characters`);
      const next = steps[step]!;
      step++;
      switch (next.kind) {
        case "character": {
          const code = text.codePointAt(at);
          goes = code !== undefined && next.test(code);
          at += (code ?? 0) > 0xffff ? 2 : 1;
          break;
        }
        case "split":
          goes = isFirst(at * splits + next.number);
          if (goes) pending.push(next.second, at);
          step = next.first;
          break;
        case "jump":
          step = next.to;
          break;
        case "place":
          goes = isAt(text, at, next.place);
          break;
        case "look":
          goes = looks(next, at, given);
          break;
        case "match":
          if (end === undefined || at === end) return at;
          goes = false;
      }
    }
  }
  return undefined;
}

/** Whether what is ahead of a place, or in front of it, is as the step says. */
function looks({ program, negative, back }: Extract<Step, { kind: "look" }>, at: number, walking: Walk): boolean {
  const start = back === undefined ? at : placeBefore(walking.text, at, back);
  if (start === undefined) return negative;
  const met = new Set<number>();
  const isFirst = (mark: number) => met.size < met.add(mark).size;
  const found = walk(program, { ...walking, start, end: back === undefined ? undefined : at, isFirst });
  return (found !== undefined) !== negative;
}

/** The index so many characters in front of another; undefined where the text begins behind it. */
function placeBefore(text: string, at: number, characters: number): number | undefined {
  let index = at;
  for (let left = characters; left > 0; left--) {
    if (index === 0) return undefined;
    const isSecondHalf = index > 1 && (text.codePointAt(index - 2) ?? 0) > 0xffff;
    index -= isSecondHalf ? 2 : 1;
  }
  return index;
}

function isAt(text: string, at: number, place: TextPlace): boolean {
  switch (place) {
    case "start":
      return at === 0;
    case "end":
      return at === text.length;
    case "last line's end":
      return at === text.length || (at === text.length - 1 && text[at] === "\n");
    case "word boundary":
      return isWord(text[at - 1]) !== isWord(text[at]);
    case "inside or outside of a word":
      return isWord(text[at - 1]) === isWord(text[at]);
  }
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character);

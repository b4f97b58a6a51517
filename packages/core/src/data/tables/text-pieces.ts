import { InputError } from "../../errors.ts";
import { feedsIn, textDecoder } from "./text.ts";

/** A row of more letters is none: what opens in it never closes, and all that follows would be held for it. */
export const mostRowLetters = 32e6;

/**
 * The text of a file whose bytes come in pieces, whichever they are; strings are as long as pieces.
 * @param start its first bytes, which say how it is encoded where `encoding` does not
 * @throws InputError as `decodeText`
 */
export async function* textPieces(
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  start: Uint8Array,
  encoding: string | undefined,
): AsyncGenerator<string> {
  const decode = textDecoder(name, start, encoding);
  for await (const bytes of pieces) yield decode(bytes, false);
  yield decode(new Uint8Array(), true);
}

/** Whole lines of a text, but for the last piece, which ends as the text does. */
export interface LinePiece {
  readonly text: string;
  /** the number of its first line, from 1 */
  readonly firstLine: number;
  readonly isLast: boolean;
}

/** A text that comes in pieces, in pieces of whole lines. @throws InputError: a line that is longer than any row */
export async function* linePieces(name: string, pieces: AsyncIterable<string>): AsyncGenerator<LinePiece> {
  let [held, letters, firstLine]: [string[], number, number] = [[], 0, 1];
  for await (const piece of pieces) {
    const end = piece.lastIndexOf("\n") + 1;
    if (end > 0) {
      const lines = piece.slice(0, end);
      const text = held.length === 0 ? lines : [...held, lines].join("");
      [held, letters] = [[], 0];
      yield { text, firstLine, isLast: false };
      firstLine += feedsIn(text);
    }
    if (end < piece.length) held.push(piece.slice(end));
    letters += piece.length - end;
    if (letters > mostRowLetters)
      throw new InputError(`${name} line ${firstLine}: a line of more than ${mostRowLetters / 1e6} million letters`);
  }
  yield { text: held.join(""), firstLine, isLast: true };
}

import { InputError } from "../../errors.ts";

/**
 * A file's bytes as text: UTF-8, with or without a byte-order mark.
 * @throws InputError naming the file, and the line of the first byte that is not UTF-8.
 */
export function decodeText(name: string, bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new InputError(`${name} is UTF-16; save it as UTF-8`);
  const text = strict(bytes);
  if (text === undefined) throw new InputError(`${name} line ${badLine(bytes)}: not UTF-8; save the file as UTF-8`);
  return text;
}

function strict(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The first line that is not UTF-8 on its own; a line feed is never part of a longer UTF-8 sequence. */
function badLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    if (strict(bytes.subarray(start, stop)) === undefined) return line;
    start = stop + 1;
  }
  return line;
}

/** A file's lines without their ends (LF or CRLF) and the number of each from 1. Blank lines are left out. */
export function* linesOf(text: string): Iterable<readonly [line: string, number: number]> {
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end < 0 ? text.length : end;
    const line = text.slice(start, text[stop - 1] === "\r" && stop > start ? stop - 1 : stop);
    number += 1;
    if (line.trim() !== "") yield [line, number];
    start = stop + 1;
  }
}

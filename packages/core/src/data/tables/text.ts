import { InputError } from "../../errors.ts";

/**
 * A file's bytes as text: of the encoding that is named, else UTF-16 where a byte-order mark says so, else UTF-8. Where
 * lines end with a carriage return alone, as old programs of the Mac write, they end with a line feed.
 * @param firstLine the number of the bytes' first line in the file
 * @param encoding a name that TextDecoder knows: latin1, windows-1252, utf-16le, shift_jis …
 * @throws InputError naming the file, and the line of the first byte that is not UTF-8; a name that nobody knows
 */
export function decodeText(name: string, bytes: Uint8Array, encoding?: string, firstLine = 1): string {
  const own = encoding ?? marked(bytes);
  if (encoding === undefined && own === "utf-8") refuseUnmarked(name, bytes);
  const text = decoded(name, bytes, own, firstLine);
  return text.includes("\n") ? text : text.replaceAll("\r", "\n");
}

function decoded(name: string, bytes: Uint8Array, encoding: string, firstLine: number): string {
  const decoder = decoderOf(encoding);
  try {
    return decoder.decode(bytes);
  } catch {
    const line = encoding === "utf-8" ? ` line ${badLine(bytes) + firstLine - 1}` : "";
    throw new InputError(
      `${name}${line}: not ${encoding.toUpperCase()}; save the file as UTF-8, or name its encoding, as in \`encoding: "latin1"\``,
    );
  }
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new InputError(
      `no encoding is called "${encoding}"; there are utf-8, latin1, windows-1252, utf-16le, utf-16be, shift_jis, gbk, koi8-r and the others of the web`,
    );
  }
}

function marked([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** UTF-16 without its mark reads as UTF-8 with a zero beside every letter. */
function refuseUnmarked(name: string, bytes: Uint8Array): void {
  const start = bytes.subarray(0, 200);
  const zeros = (odd: number) => start.filter((byte, at) => byte === 0 && at % 2 === odd).length;
  const [big, little] = [zeros(0), zeros(1)];
  if (start.length < 4 || Math.max(big, little) < start.length / 3) return;
  const encoding = big > little ? "utf-16be" : "utf-16le";
  throw new InputError(`${name}: every second byte is 0, as in UTF-16 without a mark; say \`encoding: "${encoding}"\``);
}

/** The first line that is not UTF-8 on its own; a line feed is never part of a longer UTF-8 sequence. */
function badLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    try {
      decoder.decode(bytes.subarray(start, stop));
    } catch {
      return line;
    }
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

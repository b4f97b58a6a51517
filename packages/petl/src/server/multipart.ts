import { HttpError } from "./http-error.ts";

/** A part of a form. */
interface FormPart {
  readonly name: string;
  /** of a file */
  readonly filename: string | undefined;
  readonly content: Buffer;
}

/** Parts of a form at most, and bytes of one's headers. */
const bounds = { parts: 32, headers: 8192 } as const;

/**
 * The parts of a form with files (RFC 7578).
 * @throws HttpError 400 where the body is none, or is cut
 */
export function formParts(type: string | undefined, body: Buffer): readonly FormPart[] {
  const boundary = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))/i.exec(type ?? "");
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw new HttpError(400, "send the file as multipart/form-data");
  const delimiter = Buffer.from(`\r\n--${mark}`, "latin1");
  const whole = Buffer.concat([Buffer.from("\r\n"), body]);
  const parts: FormPart[] = [];
  let at = whole.indexOf(delimiter);
  while (at >= 0) {
    const begin = at + delimiter.length;
    if (whole.toString("latin1", begin, begin + 2) === "--") return parts;
    const next = whole.indexOf(delimiter, begin);
    if (next < 0 || parts.length === bounds.parts) break;
    parts.push(partOf(whole.subarray(begin, next)));
    at = next;
  }
  throw new HttpError(400, "the form is cut, or has too many parts");
}

/** `\r\nheader: value\r\n…\r\n\r\ncontent` */
function partOf(part: Buffer): FormPart {
  const end = part.indexOf("\r\n\r\n");
  if (end < 0 || end > bounds.headers) throw new HttpError(400, "a part of the form has no headers");
  const disposition = part
    .toString("utf8", 0, end)
    .split("\r\n")
    .find((line) => /^content-disposition:/i.test(line));
  const name = parameter(disposition, "name");
  if (name === undefined) throw new HttpError(400, "a part of the form has no name");
  return { name, filename: parameter(disposition, "filename"), content: part.subarray(end + 4) };
}

function parameter(header: string | undefined, name: string): string | undefined {
  const quoted = new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(header ?? "")?.[1];
  const bare = new RegExp(`;\\s*${name}=([^";\\s]+)`, "i").exec(header ?? "")?.[1];
  return quoted?.replace(/\\(["\\])/g, "$1").replaceAll("%22", '"') ?? bare;
}

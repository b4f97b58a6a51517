import { isRecord, parsedJson } from "../../values.ts";

/**
 * What a text of JSON says, undefined where it is none. The object of ids by token that stands under "vocab" in its "model"
 * is read into a map at once: as an object of a hundred thousand names it would take several times as long to make, and
 * again to look through.
 */
export function parsedTokenizer(text: string): unknown {
  const key = text.indexOf(vocabularyKey);
  const start = key < 0 ? -1 : objectBehind(text, key + vocabularyKey.length);
  const read = start < 0 ? undefined : readIds(text, start);
  if (!read || text.includes(vocabularyKey, read.end)) return parsedJson(text);
  const rest = parsedJson(`${text.slice(0, start)}0${text.slice(read.end)}`);
  if (isRecord(rest) && isRecord(rest.model) && rest.model.vocab === 0)
    return { ...rest, model: { ...rest.model, vocab: read.ids } };
  return parsedJson(text); // the object stood elsewhere
}

/** Within a text of JSON its marks would have a backslash before them. */
const vocabularyKey = '"vocab"';

/** Where the object begins that is the value of the key that ends here; -1 where its value is none. */
function objectBehind(text: string, end: number): number {
  const colon = pastBlanks(text, end);
  const value = pastBlanks(text, colon + 1);
  return text[colon] === ":" && text[value] === "{" ? value : -1;
}

/** An object of ids by token, and the place behind it. */
interface Read {
  readonly ids: ReadonlyMap<string, number>;
  readonly end: number;
}

/** Reads an object whose values are all whole numbers of at most nine digits; undefined for any other. */
function readIds(text: string, start: number): Read | undefined {
  const ids = new Map<string, number>();
  for (let at = start; at === start || text[at] === ","; ) {
    const from = pastBlanks(text, at + 1);
    const quote = closingQuote(text, from);
    const colon = pastBlanks(text, quote + 1);
    const number = pastBlanks(text, colon + 1);
    const behind = pastDigits(text, number);
    const token = quote < 0 || text[colon] !== ":" ? undefined : tokenBetween(text, from, quote);
    if (token === undefined || !isShortNumber(text, number, behind)) return undefined;
    ids.set(token, Number(text.slice(number, behind)));
    at = pastBlanks(text, behind);
    if (text[at] === "}") return { ids, end: at + 1 };
  }
  return undefined;
}

function pastBlanks(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9; )
    code = text.charCodeAt(++at);
  return at;
}

/** Where the text that begins with the quotation mark at `start` ends; -1 where JSON would not allow it. */
function closingQuote(text: string, start: number): number {
  if (text[start] !== '"') return -1;
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) return at;
    if (code < 32) return -1;
    if (code === 92) at++;
  }
  return -1;
}

/** The token between two quotation marks; undefined for an escape that JSON does not know. */
function tokenBetween(text: string, from: number, quote: number): string | undefined {
  const token = text.slice(from + 1, quote);
  if (!token.includes("\\")) return token;
  const parsed = parsedJson(text.slice(from, quote + 1));
  return typeof parsed === "string" ? parsed : undefined;
}

function pastDigits(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; ) code = text.charCodeAt(++at);
  return at;
}

/** JSON's whole numbers begin with no idle zero. */
const isShortNumber = (text: string, from: number, end: number): boolean =>
  end > from && end <= from + 9 && (end === from + 1 || text[from] !== "0");

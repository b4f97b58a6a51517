import type { Example, Label } from "./examples.ts";
import { hashOfText, hashOfWords, upToWord } from "./text-hash.ts";

type TextExample = Extract<Example, { readonly kind: "text" }>;

/** What keeps examples in less memory. */
export type Packer = (examples: readonly Example[]) => readonly Example[];

/**
 * Keeps bytes; what it gives reads those between two places, which hold until anything of the keeper is read again.
 * The bytes that it is given are its own only until it returns.
 */
export type ByteKeeper = (bytes: Uint8Array) => (from: number, to: number) => Uint8Array;

const inMemory: ByteKeeper = (bytes) => {
  const own = bytes.slice();
  return (from, to) => own.subarray(from, to);
};

/**
 * Gives the same examples, those of text with their letters side by side as UTF-8, outside of the collector's heap: a large
 * file's texts take the memory that its bytes do, or none where `keep` puts them elsewhere. Texts that UTF-8 cannot hold,
 * with half of a surrogate pair, stay as they are.
 */
export function textPacker(keep: ByteKeeper = inMemory): Packer {
  const room = { bytes: new Uint8Array() };
  return (examples) => {
    const packable = examples.filter(canBePacked);
    const width = packable.some(({ pair }) => pair !== undefined) ? 2 : 1;
    const texts = width === 1 ? packable.map(({ text }) => text) : packable.flatMap(({ text, pair }) => [text, pair]);
    const letters = packLetters(texts, width, room, keep);
    let row = 0;
    return examples.map((example) => (canBePacked(example) ? new PackedText(letters, row++, example) : example));
  };
}

const lone = /\p{Surrogate}/u;

const canBePacked = (example: Example): example is TextExample =>
  example.kind === "text" && !lone.test(example.text) && !(example.pair !== undefined && lone.test(example.pair));

/** A row's letters, and those of its pair, without making its text: exact, or for packed ones the bytes they take. */
export function lettersOf(example: Example): number {
  if (example instanceof PackedText) return example.size;
  return example.kind === "text" ? example.text.length + (example.pair?.length ?? 0) : 0;
}

/** A hash of a row's text and pair; equal ones have the same. */
export function hashOfRow(example: TextExample): number {
  if (example instanceof PackedText) return example.hash;
  return joinedHash(hashOfText(example.text), example.pair === undefined ? 0 : hashOfText(example.pair));
}

/** Letters that no word has which stands for nothing, as "undefined" does. */
const longerThanNone = 16;

/** Whether a packed row's text is seen by its first bytes to be neither blank nor a word that stands for nothing. */
export const saysMore = (example: TextExample): boolean => example instanceof PackedText && example.saysMore;

/** Whether a row's texts have a letter of code 0, as files that a broken disk or copy left have. */
export function hasZero(example: Example): boolean {
  if (example instanceof PackedText) return example.hasZero;
  if (example.kind === "completion") return `${example.prompt}${example.completion}`.includes("\0");
  return example.kind === "text" && `${example.text}${example.pair ?? ""}`.includes("\0");
}

/** A text's UTF-8, and how many letters of UTF-16 it has. */
export interface WrittenText {
  readonly bytes: Uint8Array;
  readonly letters: number;
}

/** The UTF-8 of a row's text and of its pair; of packed rows what lies there, without making the texts. */
export function writtenTexts(example: TextExample): readonly WrittenText[] {
  if (example instanceof PackedText) return example.written;
  const texts = example.pair === undefined ? [example.text] : [example.text, example.pair];
  return texts.map((text) => ({ bytes: encoder.encode(text), letters: text.length }));
}

const joinedHash = (text: number, pair: number): number => (text ^ Math.imul(pair, 0x9e3779b1)) >>> 0;

/** Texts of rows as bytes, one behind the other, each from a multiple of four; text `i` ends where `ends[i]` says. */
interface Letters {
  readonly read: ReturnType<ByteKeeper>;
  readonly ends: Uint32Array;
  /** letters of UTF-16 of each text */
  readonly lengths: Uint32Array;
  /** of each text, see `hashOfWords` */
  readonly hashes: Uint32Array;
  /** of each text: `more` and `zero`, added */
  readonly seen: Uint8Array;
  /** texts of a row */
  readonly width: 1 | 2;
}

/** What is seen of a text while it lies at hand: that it says more than nothing, that it has a letter of code 0. */
const [more, zero] = [1, 2];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** No letter of UTF-16 has more than three bytes. */
const mostBytes = (text: string) => 3 * text.length;

function packLetters(
  texts: readonly (string | undefined)[],
  width: 1 | 2,
  room: { bytes: Uint8Array<ArrayBuffer> },
  keep: ByteKeeper,
): Letters {
  const most = upToWord(texts.reduce((sum, text = "") => sum + mostBytes(text) + 4, 0));
  if (room.bytes.length < most) room.bytes = new Uint8Array(most);
  const { bytes } = room;
  const words = new Uint32Array(bytes.buffer);
  const [ends, hashes] = [new Uint32Array(texts.length), new Uint32Array(texts.length)];
  const seen = new Uint8Array(texts.length);
  let end = 0;
  for (const [at, text = ""] of texts.entries()) {
    const start = upToWord(end);
    end = start + encoder.encodeInto(text, bytes.subarray(start, start + mostBytes(text))).written; // Node writes nothing into 2 GiB
    bytes.fill(0, end, upToWord(end));
    ends[at] = end;
    hashes[at] = hashOfWords(words, start / 4, upToWord(end) / 4);
    seen[at] = (saysMoreIn(bytes, start, end) ? more : 0) + (text.includes("\0") ? zero : 0);
  }
  const lengths = Uint32Array.from(texts, (text = "") => text.length);
  return { read: keep(bytes.subarray(0, upToWord(end))), ends, lengths, hashes, seen, width };
}

function saysMoreIn(bytes: Uint8Array, start: number, end: number): boolean {
  let letters = 0;
  for (let at = start; at < end && letters < longerThanNone; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x20 && byte < 0x7f) letters += 1;
  }
  return letters === longerThanNone;
}

const startOf = ({ ends }: Letters, text: number) => (text === 0 ? 0 : upToWord(ends[text - 1] ?? 0));
const endOf = ({ ends }: Letters, text: number) => ends[text] ?? 0;
const textOf = (letters: Letters, text: number) =>
  decoder.decode(letters.read(startOf(letters, text), endOf(letters, text)));

/** A row of text that is made when it is asked for. */
class PackedText implements TextExample {
  readonly #letters: Letters;
  readonly #row: number;
  declare readonly label?: Label;
  declare readonly labels?: readonly Label[];

  constructor(letters: Letters, row: number, { label, labels }: TextExample) {
    this.#letters = letters;
    this.#row = row;
    if (label !== undefined) this.label = label; // rows without labels have no such field
    if (labels !== undefined) this.labels = labels;
  }

  get kind(): "text" {
    return "text";
  }

  get text(): string {
    return textOf(this.#letters, this.#first);
  }

  get pair(): string | undefined {
    return this.#letters.width === 1 ? undefined : textOf(this.#letters, this.#last);
  }

  get size(): number {
    return endOf(this.#letters, this.#last) - startOf(this.#letters, this.#first);
  }

  get written(): readonly WrittenText[] {
    const letters = this.#letters;
    const [first, last] = [this.#first, this.#last];
    const start = startOf(letters, first);
    const bytes = letters.read(start, endOf(letters, last));
    const texts = first === last ? [first] : [first, last];
    return texts.map((text) => ({
      bytes: bytes.subarray(startOf(letters, text) - start, endOf(letters, text) - start),
      letters: letters.lengths[text] ?? 0,
    }));
  }

  get saysMore(): boolean {
    return ((this.#letters.seen[this.#first] ?? 0) & more) !== 0;
  }

  get hasZero(): boolean {
    const { seen } = this.#letters;
    return (((seen[this.#first] ?? 0) | (seen[this.#last] ?? 0)) & zero) !== 0;
  }

  get hash(): number {
    const { hashes } = this.#letters;
    const [first, last] = [this.#first, this.#last];
    return joinedHash(hashes[first] ?? 0, first === last ? 0 : (hashes[last] ?? 0));
  }

  /** the place of the row's text, and of its pair where it has one */
  get #first(): number {
    return this.#row * this.#letters.width;
  }

  get #last(): number {
    return this.#first + this.#letters.width - 1;
  }
}

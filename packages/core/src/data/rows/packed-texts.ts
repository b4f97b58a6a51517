import type { Example, Label } from "./examples.ts";
import { hashOfText, hashOfWords } from "./text-hash.ts";

type TextExample = Extract<Example, { readonly kind: "text" }>;

/** What keeps examples in less memory. */
export type Packer = (examples: readonly Example[]) => readonly Example[];

/**
 * Gives the same examples, those of text with their letters side by side as UTF-8, outside of the collector's heap: a large
 * file's texts take the memory that its bytes do. Texts that UTF-8 cannot hold, with half of a surrogate pair, stay as they are.
 */
export function textPacker(): Packer {
  const room = { bytes: new Uint8Array() };
  return (examples) => {
    const packable = examples.filter(canBePacked);
    const width = packable.some(({ pair }) => pair !== undefined) ? 2 : 1;
    const texts = width === 1 ? packable.map(({ text }) => text) : packable.flatMap(({ text, pair }) => [text, pair]);
    const letters = packLetters(texts, width, room);
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
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly ends: Uint32Array;
  /** letters of UTF-16 of each text */
  readonly lengths: Uint32Array;
  /** texts of a row */
  readonly width: 1 | 2;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const upToWord = (bytes: number) => (bytes + 3) & ~3;

function packLetters(texts: readonly (string | undefined)[], width: 1 | 2, room: { bytes: Uint8Array }): Letters {
  const most = texts.reduce((sum, text = "") => sum + 3 * text.length + 4, 0); // no letter of UTF-16 has more than three bytes
  if (room.bytes.length < most) room.bytes = new Uint8Array(most);
  let end = 0;
  const ends = Uint32Array.from(texts, (text = "") => {
    const start = upToWord(end);
    end = start + encoder.encodeInto(text, room.bytes.subarray(start)).written;
    room.bytes.fill(0, end, upToWord(end));
    return end;
  });
  const bytes = room.bytes.slice(0, upToWord(end));
  const lengths = Uint32Array.from(texts, (text = "") => text.length);
  return { bytes, words: new Uint32Array(bytes.buffer), ends, lengths, width };
}

const startOf = ({ ends }: Letters, text: number) => (text === 0 ? 0 : upToWord(ends[text - 1] ?? 0));
const endOf = ({ ends }: Letters, text: number) => ends[text] ?? 0;
const bytesOf = (letters: Letters, text: number) =>
  letters.bytes.subarray(startOf(letters, text), endOf(letters, text));
const textOf = (letters: Letters, text: number) => decoder.decode(bytesOf(letters, text));
const hashOf = (letters: Letters, text: number) =>
  hashOfWords(letters.words, startOf(letters, text) / 4, upToWord(endOf(letters, text)) / 4);

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
    return textOf(this.#letters, this.#row * this.#letters.width);
  }

  get pair(): string | undefined {
    return this.#letters.width === 1 ? undefined : textOf(this.#letters, 2 * this.#row + 1);
  }

  get size(): number {
    const { width } = this.#letters;
    return endOf(this.#letters, (this.#row + 1) * width - 1) - startOf(this.#letters, this.#row * width);
  }

  get written(): readonly WrittenText[] {
    const letters = this.#letters;
    const first = this.#row * letters.width;
    const texts = letters.width === 1 ? [first] : [first, first + 1];
    return texts.map((text) => ({ bytes: bytesOf(letters, text), letters: letters.lengths[text] ?? 0 }));
  }

  get saysMore(): boolean {
    const { bytes, width } = this.#letters;
    const text = this.#row * width;
    const end = endOf(this.#letters, text);
    let letters = 0;
    for (let at = startOf(this.#letters, text); at < end && letters < longerThanNone; at++) {
      const byte = bytes[at] ?? 0;
      if (byte > 0x20 && byte < 0x7f) letters += 1;
    }
    return letters === longerThanNone;
  }

  get hash(): number {
    const { width } = this.#letters;
    return joinedHash(
      hashOf(this.#letters, this.#row * width),
      width === 1 ? 0 : hashOf(this.#letters, 2 * this.#row + 1),
    );
  }
}

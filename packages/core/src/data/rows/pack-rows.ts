import { random } from "../../tensor/random.ts";
import { sentencesOf } from "./sentences.ts";

/** A piece of running text. */
export interface Paragraph {
  readonly text: string;
  /** number of the document that it stands in; a document's paragraphs follow one another */
  readonly document: number;
}

/** A row of tokens without special ones, and the text that it was made of. */
export interface PackedRow {
  readonly ids: readonly number[];
  readonly text: string;
}

type IdsOf = (text: string) => readonly number[];

interface SentenceOptions {
  /** ids of a bare text */
  readonly idsOf: IdsOf;
  /** tokens of the longest row */
  readonly room: number;
  /** share of the rows that end at a shorter length by chance, so that short texts are learned too */
  readonly shortShare: number;
  readonly seed: number;
}

const shortest = 8;

/**
 * Whole sentences one behind the other, as many as fit into a row, across paragraphs but not across documents (Liu et
 * al. 2019, arXiv:1907.11692, section 4.2: full sentences). A sentence that is longer than a row is cut between words.
 * Every token comes once, in the text's order.
 */
export async function* packSentences(
  paragraphs: AsyncIterable<Paragraph>,
  options: SentenceOptions,
): AsyncGenerator<PackedRow, void, void> {
  const { idsOf, room, shortShare, seed } = options;
  let [row, texts, rows]: [number[], string[], number] = [[], [], 0];
  const take = (): PackedRow => {
    const taken = { ids: row, text: texts.join(" ") };
    [row, texts, rows] = [[], [], rows + 1];
    return taken;
  };
  const limitOf = (number: number): number => {
    const chance = random(seed, "length of a packed row", number);
    const short = chance.uniform() < shortShare && room > shortest;
    return short ? Math.floor(shortest * (room / shortest) ** chance.uniform()) : room; // of every magnitude as many
  };
  let limit = limitOf(0);
  let current: number | undefined;
  for await (const { text, document } of paragraphs) {
    for (const piece of sentencesOf(text).flatMap((sentence) => piecesOf(sentence, idsOf, room))) {
      const full = row.length + piece.ids.length > limit || document !== current;
      if (row.length > 0 && full) {
        yield take();
        limit = limitOf(rows);
      }
      current = document;
      for (const id of piece.ids) row.push(id);
      texts.push(piece.text);
    }
  }
  if (row.length > 0) yield take();
}

/** A sentence as one piece where it fits, else cut between its words; a word that is longer still is cut too. */
function piecesOf(sentence: string, idsOf: IdsOf, room: number): readonly PackedRow[] {
  const ids = idsOf(sentence);
  if (ids.length <= room) return [{ ids, text: sentence }];
  const words = sentence.split(/\s+/u).filter((word) => word !== "");
  if (words.length === 1) {
    const cuts = Array.from({ length: Math.ceil(ids.length / room) }, (_, i) => ids.slice(i * room, (i + 1) * room));
    return cuts.map((cut) => ({ ids: cut, text: sentence }));
  }
  const half = Math.ceil(words.length / 2);
  return [words.slice(0, half), words.slice(half)].flatMap((part) => piecesOf(part.join(" "), idsOf, room));
}

interface TokenOptions {
  readonly idsOf: IdsOf;
  /** tokens of every row but the last */
  readonly length: number;
  /** the token that ends a document */
  readonly endId: number;
}

/**
 * The tokens of all documents one behind the other, paragraphs apart by a new line and documents by the end token, cut
 * into rows of one length; the last row may be shorter. Every token comes once, in the text's order.
 */
export async function* packTokens(
  paragraphs: AsyncIterable<Paragraph>,
  { idsOf, length, endId }: TokenOptions,
): AsyncGenerator<PackedRow, void, void> {
  let waiting: number[] = [];
  let current: number | undefined;
  for await (const { text, document } of paragraphs) {
    if (current !== undefined && document !== current) waiting.push(endId);
    current = document;
    for (const id of idsOf(`${text}\n`)) waiting.push(id);
    while (waiting.length >= length) {
      yield { ids: waiting.slice(0, length), text: "" };
      waiting = waiting.slice(length);
    }
  }
  if (current !== undefined) waiting.push(endId);
  for (let start = 0; start < waiting.length; start += length) {
    yield { ids: waiting.slice(start, start + length), text: "" };
  }
}

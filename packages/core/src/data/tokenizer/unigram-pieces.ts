import type { WordModel } from "./word-pieces.ts";

/** A node of a tree of pieces, by their characters. */
interface Branch {
  readonly next: Map<string, Branch>;
  /** the piece that ends here */
  piece?: { readonly text: string; readonly score: number };
}

/** Less than the least likely piece by so much, as in SentencePiece. */
const unknownPenalty = 10;

/**
 * A unigram model's way to cut a word: the pieces whose scores, log-probabilities, have the largest sum (Viterbi). A
 * character that is no piece costs more than any; neighbours of that kind are one unknown token. A word costs its length
 * times that of the longest piece, and memory in its length.
 * Source: Kudo 2018, arXiv:1804.10959, section 3.1
 */
export function unigramPieces(pieces: readonly (readonly [string, number])[]): WordModel["encode"] {
  const root: Branch = { next: new Map() };
  let least = Number.POSITIVE_INFINITY;
  for (const [text, score] of pieces) {
    least = Math.min(least, score);
    let branch = root;
    for (const character of text) {
      const next = branch.next.get(character) ?? { next: new Map() };
      branch.next.set(character, next);
      branch = next;
    }
    branch.piece = { text, score };
  }
  return (words) => words.flatMap((word) => likeliest([...word], root, least - unknownPenalty));
}

function likeliest(characters: readonly string[], root: Branch, unknownScore: number): readonly string[] {
  const best = new Float64Array(characters.length + 1).fill(Number.NEGATIVE_INFINITY);
  const begins = new Int32Array(characters.length + 1);
  best[0] = 0;
  for (let start = 0; start < characters.length; start++) {
    const reach = (end: number, score: number) => {
      const sum = (best[start] ?? 0) + score;
      if (sum <= (best[end] ?? 0)) return;
      best[end] = sum;
      begins[end] = start;
    };
    let branch: Branch | undefined = root;
    let single = false;
    for (let end = start; branch && end < characters.length; end++) {
      branch = branch.next.get(characters[end] ?? "");
      if (!branch?.piece) continue;
      single ||= end === start;
      reach(end + 1, branch.piece.score);
    }
    if (!single) reach(start + 1, unknownScore);
  }
  const found: string[] = [];
  for (let end = characters.length; end > 0; end = begins[end] ?? 0)
    found.push(characters.slice(begins[end], end).join(""));
  return found.reverse();
}

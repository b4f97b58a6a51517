import type { Random } from "../../tensor/random.ts";
import type { EncodedExample } from "../rows/encode.ts";
import { ignoredLabel } from "../rows/examples.ts";

/** What masked language modelling needs to know of a tokenizer and its model. */
export interface Masking {
  /** the token that hides another */
  readonly maskId: number;
  /** tokens that are never hidden: separators, padding */
  readonly specialIds: ReadonlySet<number>;
  /** tokens that continue the word before them and are hidden with it; none: every token is a word of its own */
  readonly continuationIds: ReadonlySet<number>;
  readonly vocabulary: number;
}

const hiddenShare = 0.15;
const maskedShare = 0.8;
const changedShare = 0.1;

/**
 * A text with some words hidden, whose tokens are its labels: 15 % of the words, at least one; of their tokens 80 %
 * become the mask token, 10 % a token by chance, 10 % stay as they are (Devlin et al. 2018, arXiv:1810.04805,
 * section 3.1). All pieces of a word are hidden together, so that none of them gives the others away (whole-word
 * masking: Cui et al. 2019, arXiv:1906.08101, section 2.2).
 */
export function maskTokens(example: EncodedExample, masking: Masking, random: Random): EncodedExample {
  const { maskId, vocabulary } = masking;
  const inputIds = example.inputIds.slice();
  const labels = new Int32Array(inputIds.length).fill(ignoredLabel);
  const hide = (position: number) => {
    labels[position] = inputIds[position]!;
    const chance = random.uniform();
    if (chance < maskedShare) inputIds[position] = maskId;
    else if (chance < maskedShare + changedShare) inputIds[position] = random.integer(vocabulary);
  };
  const words = wordsOf(example.inputIds, masking);
  const chosen = words.filter(() => random.uniform() < hiddenShare);
  const [first] = words.length > 0 ? [words[random.integer(words.length)]] : [];
  const hidden = chosen.length > 0 || first === undefined ? chosen : [first];
  for (const { start, end } of hidden) for (let position = start; position < end; position++) hide(position);
  return { ...example, inputIds, target: { kind: "tokens", ids: labels } };
}

interface Word {
  readonly start: number;
  readonly end: number;
}

/** The stretches of tokens that are hidden together or not at all. */
function wordsOf(ids: Int32Array, { specialIds, continuationIds }: Masking): readonly Word[] {
  const words: { start: number; end: number }[] = [];
  for (const [position, id] of ids.entries()) {
    if (specialIds.has(id)) continue;
    const last = words.at(-1);
    if (last?.end === position && continuationIds.has(id)) last.end++;
    else words.push({ start: position, end: position + 1 });
  }
  return words;
}

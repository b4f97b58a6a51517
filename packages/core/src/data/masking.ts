import type { Random } from "../tensor/random.ts";
import type { EncodedExample } from "./encode.ts";
import { ignoredLabel } from "./examples.ts";

/** What masked language modelling needs to know of a tokenizer and its model. */
export interface Masking {
  /** the token that hides another */
  readonly maskId: number;
  /** tokens that are never hidden: separators, padding */
  readonly specialIds: ReadonlySet<number>;
  readonly vocabulary: number;
}

const hiddenShare = 0.15;
const maskedShare = 0.8;
const changedShare = 0.1;

/**
 * A text with some tokens hidden, which are its labels: 15 % of them, at least one; of these 80 % become the mask token,
 * 10 % a token by chance, 10 % stay as they are (Devlin et al. 2018, arXiv:1810.04805, section 3.1).
 */
export function maskTokens(
  example: EncodedExample,
  { maskId, specialIds, vocabulary }: Masking,
  random: Random,
): EncodedExample {
  const inputIds = example.inputIds.slice();
  const labels = new Int32Array(inputIds.length).fill(ignoredLabel);
  const hide = (position: number) => {
    labels[position] = inputIds[position]!;
    const chance = random.uniform();
    if (chance < maskedShare) inputIds[position] = maskId;
    else if (chance < maskedShare + changedShare) inputIds[position] = random.integer(vocabulary);
  };
  const candidates = Array.from(inputIds.keys()).filter((position) => !specialIds.has(inputIds[position]!));
  const chosen = candidates.filter(() => random.uniform() < hiddenShare);
  const [first] = candidates.length > 0 ? [candidates[random.integer(candidates.length)]] : [];
  for (const position of chosen.length > 0 || first === undefined ? chosen : [first]) hide(position);
  return { ...example, inputIds, target: { kind: "tokens", ids: labels } };
}

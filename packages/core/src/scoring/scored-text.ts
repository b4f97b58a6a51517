import { InputError } from "../errors.ts";

/** A text that was generated, and the texts that would have been right. */
export interface ScoredText {
  readonly text: string;
  /** one or more */
  readonly references: readonly string[];
}

/** @throws InputError where there is nothing to score, or nothing to score it by */
export function checkScorable(texts: readonly ScoredText[]): void {
  if (texts.length === 0) throw new InputError("there are no texts to score");
  const bare = texts.findIndex(({ references }) => references.length === 0);
  if (bare >= 0) throw new InputError(`text ${bare + 1} has no reference to be scored by`);
}

import { type Masking, maskTokens } from "../data/batches/masking.ts";
import { changedRows, type EncodedRows } from "../data/rows/encoded-rows.ts";
import type { Tokenizer } from "../data/tokenizer/tokenizer.ts";
import { InputError } from "../errors.ts";
import { random } from "../tensor/random.ts";

/** How a base hides tokens of plain text. */
export function maskingOf(tokenizer: Tokenizer | undefined, vocabulary: number): Masking {
  const maskId = tokenizer?.specialIds.mask_token;
  if (tokenizer && maskId !== undefined)
    return {
      maskId,
      vocabulary,
      continuationIds: tokenizer.continuationIds,
      specialIds: new Set(Object.values(tokenizer.specialIds)),
    };
  throw new InputError(
    "the base's tokenizer has no mask token, so plain text cannot train a masked LM; give rows with labels",
  );
}

/** Rows for evaluation hide the same tokens every time, so that their losses can be compared. */
export function maskedOnce(rows: EncodedRows, masking: Masking, seed: number): EncodedRows {
  return changedRows(rows, (row, index) =>
    maskTokens(row, masking, random(seed, `validation masking of row ${index}`)),
  );
}

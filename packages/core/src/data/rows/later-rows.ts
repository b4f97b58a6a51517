import { type EncodedExample, type EncodeOptions, rowEncoder } from "./encode.ts";
import type { StoredRows } from "./encoded-rows.ts";
import type { ExampleSet } from "./examples.ts";
import { lettersOf } from "./packed-texts.ts";
import type { TargetRule } from "./target.ts";
import { withCommas } from "./with-commas.ts";

/** Letters from which on rows become tokens only as they are read: making all first would take minutes. */
const manyLetters = 64e6;

/** Whether a set's rows are texts of so many letters that none of them waits for all others to become tokens. */
export function isLarge({ examples }: ExampleSet): boolean {
  let letters = 0;
  for (const example of examples) {
    if (example.kind !== "text") return false;
    letters += lettersOf(example);
  }
  return letters >= manyLetters;
}

/** Rows that become tokens as they are read. */
export interface LaterRows {
  readonly rows: StoredRows;
  /** places of some of them, and what they become */
  readonly sample: { readonly places: readonly number[]; readonly rows: readonly EncodedExample[] };
  readonly remarks: readonly string[];
}

/** Rows that are looked at to tell how many are cut. */
const looked = 500;

/**
 * Texts that become tokens each time that they are read, which costs a hundredth of what is then computed with them, and no
 * memory. Their lengths are estimates from their letters: they put rows of similar length together, no more.
 * @throws InputError as `encodeExamples`; for a row's tokens when it is read
 */
export function laterRows(set: ExampleSet, rule: TargetRule | undefined, options: EncodeOptions): LaterRows {
  const { examples } = set;
  const encode = rowEncoder(set, rule, options);
  const most = options.maxLength;
  const lengths = new Uint32Array(examples.length);
  for (const [row, example] of examples.entries()) lengths[row] = Math.min(most, 2 + Math.ceil(lettersOf(example) / 4));
  const rows: StoredRows = { length: examples.length, lengths, areEstimates: true, at: async (row) => encode(row) };
  const count = Math.min(looked, examples.length);
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * examples.length) / count));
  const sample = places.map(encode);
  const full = sample.filter(({ inputIds }) => inputIds.length >= most).length;
  const cut =
    full === 0
      ? []
      : [
          `about ${Math.round((100 * full) / sample.length)} % of the rows reach ${most} tokens and are cut there (\`maxLength\`)`,
        ];
  const told = `${withCommas(examples.length)} rows become tokens as they are read`;
  return { rows, sample: { places, rows: sample }, remarks: [told, ...cut] };
}

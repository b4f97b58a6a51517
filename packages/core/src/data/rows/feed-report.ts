import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type ExampleSet, ignoredLabel } from "./examples.ts";
import type { FedRows } from "./fed-rows.ts";
import { copyRemarks, rowRemarks } from "./row-remarks.ts";

/** One row as a model reads it. */
export interface ShownRow {
  readonly place: string;
  readonly tokens: readonly string[];
  /** which tokens are to be foretold or told apart; undefined where the row has one target */
  readonly learnt: readonly boolean[] | undefined;
  /** the row's class or number, where it has one */
  readonly target: number | undefined;
}

/** What a model is fed. */
export interface FeedReport {
  readonly columns: ExampleSet["columns"];
  readonly rows: number;
  /** tokens of all rows, and those of them that are learnt */
  readonly tokens: number;
  readonly learnt: number;
  /** tokens of the shortest, the middle and the longest row */
  readonly lengths: { readonly shortest: number; readonly median: number; readonly longest: number };
  readonly first: readonly ShownRow[];
  readonly remarks: readonly string[];
}

interface FeedReportOptions {
  /** whether each token is foretold by those in front of it, as a causal language model's */
  readonly foretold: boolean;
  /** the rows to be evaluated on, which should be others */
  readonly validation?: ExampleSet | undefined;
  readonly shown?: number;
}

/**
 * What rows look like to a model: their columns, lengths and the first of them as tokens, with what is learnt.
 */
export function feedReport(
  { rows, set, remarks }: FedRows,
  tokenizer: Pick<Tokenizer, "tokenOf"> | undefined,
  { foretold, validation, shown = 3 }: FeedReportOptions,
): FeedReport {
  const lengths = rows.map(({ inputIds }) => inputIds.length).sort((a, b) => a - b);
  const first = rows.slice(0, shown).map((row, at): ShownRow => {
    const { target } = row;
    const tokens = Array.from(row.inputIds, (id) => tokenizer?.tokenOf(id) ?? String(id));
    const one = target?.kind === "class" ? target.id : target?.kind === "value" ? target.value : undefined;
    return { place: set.placeOf(at), tokens, learnt: learntTokens(row.inputIds, target, foretold), target: one };
  });
  return {
    columns: set.columns,
    rows: rows.length,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    learnt: rows.reduce((sum, { target }) => sum + (target?.kind === "tokens" ? counted(target.ids) : 1), 0),
    lengths: {
      shortest: lengths[0] ?? 0,
      median: lengths[Math.floor(lengths.length / 2)] ?? 0,
      longest: lengths.at(-1) ?? 0,
    },
    first,
    remarks: [...rowRemarks(set, validation), ...copyRemarks(set, false), ...remarks],
  };
}

const counted = (ids: Int32Array): number => ids.reduce((count, id) => count + (id === ignoredLabel ? 0 : 1), 0);

/** Which tokens are targets; a causal model's targets stand one place in front of the tokens that they are, if not behind a prompt. */
function learntTokens(
  { length }: Int32Array,
  target: FedRows["rows"][number]["target"],
  foretold: boolean,
): readonly boolean[] | undefined {
  if (target?.kind !== "tokens") return undefined;
  const { ids } = target;
  const ahead = foretold && ids.length === length ? 1 : 0;
  return Array.from({ length }, (_, at) => (ids[at - ahead] ?? ignoredLabel) !== ignoredLabel);
}

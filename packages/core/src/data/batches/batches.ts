import { InternalError } from "../../errors.ts";
import { random } from "../../tensor/random.ts";

/** The rows of each batch of an epoch, by index: every row of the data set exactly once. */
export type BatchPlan = readonly (readonly number[])[];

/** What the order of an epoch depends on. */
export interface EpochOptions {
  /** Rows in a batch; the last batch may have fewer. */
  readonly batch: number;
  readonly seed: number;
  /** Counted from 0; every epoch has its own order. */
  readonly epoch: number;
  /** false: the file's own order, consecutive rows together, the same in every epoch. */
  readonly shuffle: boolean;
}

/** Batches whose rows are sorted by length together: more means less padding and less chance in a batch's make-up. */
const poolBatches = 50;

/**
 * The batches of one epoch of training. Shuffled, rows of similar length come together: the rows are shuffled and cut
 * into pools of about 50 batches, each pool is sorted by length and cut into batches, and the batches are shuffled (as
 * transformers' `group_by_length`, but with pools of equal size and whole batches shuffled too). Where the rows don't
 * fill every batch, the last one is short and holds rows of any length. A pure function of lengths and options, so a
 * resumed run meets the same batches.
 */
export function planEpoch(lengths: ArrayLike<number>, options: EpochOptions): BatchPlan {
  const { batch, seed, epoch, shuffle } = options;
  if (!shuffle) return chunks(inOrder(lengths.length), batch);
  const numbers = random(seed, "order of the rows", epoch);
  const order = numbers.order(lengths.length);
  const full = Math.floor(order.length / batch);
  const pools = Math.max(1, Math.round(full / poolBatches));
  const batches = Array.from({ length: pools }, (_, pool) => {
    const from = Math.round((pool * full) / pools);
    const to = Math.round(((pool + 1) * full) / pools);
    return chunks(sortedByLength(order.subarray(from * batch, to * batch), lengths), batch);
  });
  return [...numbers.shuffle(batches.flat()), ...chunks(order.subarray(full * batch), batch)];
}

/** Batches for evaluation: all rows sorted by length, so nearly nothing is padded; the indices lead results back. */
export function planEvaluation(lengths: ArrayLike<number>, batch: number): BatchPlan {
  return chunks(sortedByLength(inOrder(lengths.length), lengths), batch);
}

/** Rows from the shortest to the longest, equally long ones in their order: by numbers of length and place, which sort fast. */
function sortedByLength(rows: Uint32Array, lengths: ArrayLike<number>): Uint32Array {
  const { length } = rows;
  const keys = Float64Array.from(rows, (row, place) => lengths[row]! * length + place).sort();
  return rows.map((_, place) => rows[keys[place]! % length]!);
}

const inOrder = (count: number) => new Uint32Array(count).map((_, row) => row);

/** Share of a plan's computed tokens that is padding: 1 - Σ lengths / Σ (rows x longest row of the batch). */
export function paddingShare(plan: BatchPlan, lengths: ArrayLike<number>): number {
  let [real, computed] = [0, 0];
  for (const rows of plan) {
    let longest = 0;
    for (const row of rows) {
      real += lengths[row]!;
      longest = Math.max(longest, lengths[row]!);
    }
    computed += rows.length * longest;
  }
  return computed === 0 ? 0 : 1 - real / computed;
}

function chunks(rows: Uint32Array, size: number): number[][] {
  if (!Number.isInteger(size) || size < 1) throw new InternalError(`a batch of ${size} rows`);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => [...rows.subarray(i * size, (i + 1) * size)]);
}

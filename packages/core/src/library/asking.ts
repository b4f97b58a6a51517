import { planEvaluation } from "../data/batches/batches.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";

/** How a call asks. */
interface AskOptions {
  /** rows that are computed together */
  readonly batch: number;
  /** once aborted, the call ends between two batches */
  readonly signal?: StopSignal | undefined;
}

/** Asks a model for rows; calls that come while it computes are answered together. */
export interface Asking<R> {
  /** An answer for every row, in the rows' order. @throws what computing threw; the signal's reason */
  ask(rows: readonly EncodedExample[], options: AskOptions): Promise<readonly R[]>;
}

interface Call<R> extends AskOptions {
  readonly answers: R[];
  left: number;
  done: boolean;
  resolve(answers: readonly R[]): void;
  reject(error: unknown): void;
}

interface Waiting<R> {
  readonly row: EncodedExample;
  /** the row's place among its call's */
  readonly place: number;
  readonly call: Call<R>;
}

/** Batches that are planned together: rows of similar length come into one. */
const planned = 16;

/** Computes rows in batches of similar length, whichever calls they are of, in the order in which calls came. */
export function asking<R>(compute: (rows: readonly EncodedExample[]) => Promise<readonly R[]>): Asking<R> {
  let waiting: Waiting<R>[] = [];
  let working = false;
  const work = async () => {
    if (working) return;
    working = true;
    await Promise.resolve(); // whoever asks in the same moment is answered together
    while (waiting.length > 0) {
      const batch = waiting[0]?.call.batch ?? 1;
      const next = waiting.slice(0, planned * batch);
      waiting = waiting.slice(next.length);
      const lengths = next.map(({ row }) => row.inputIds.length);
      for (const places of planEvaluation(lengths, batch))
        await answered(
          places.flatMap((place) => next[place] ?? []),
          compute,
        );
    }
    working = false;
  };
  return {
    ask: (rows, options) =>
      new Promise((resolve, reject) => {
        if (rows.length === 0) return resolve([]);
        const call: Call<R> = { ...options, answers: [], left: rows.length, done: false, resolve, reject };
        waiting.push(...rows.map((row, place) => ({ row, place, call })));
        void work();
      }),
  };
}

/** Computes one batch and gives each call its answers; what goes wrong goes wrong for all calls of the batch. */
async function answered<R>(
  asked: readonly Waiting<R>[],
  compute: (rows: readonly EncodedExample[]) => Promise<readonly R[]>,
): Promise<void> {
  for (const { call } of asked) {
    try {
      throwIfStopped(call.signal);
    } catch (error) {
      fail(call, error);
    }
  }
  const open = asked.filter(({ call }) => !call.done);
  if (open.length === 0) return;
  try {
    const answers = await compute(open.map(({ row }) => row));
    for (const [i, { call, place }] of open.entries()) {
      const answer = answers[i];
      if (answer === undefined || call.done) continue;
      call.answers[place] = answer;
      call.left--;
      if (call.left === 0) {
        call.done = true;
        call.resolve(call.answers);
      }
    }
  } catch (error) {
    for (const { call } of open) fail(call, error);
  }
}

function fail<R>(call: Call<R>, error: unknown): void {
  if (call.done) return;
  call.done = true;
  call.reject(error);
}

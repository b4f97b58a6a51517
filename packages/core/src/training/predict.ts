import { planEvaluation } from "../data/batches/batches.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { copyOf, type Phi } from "../peft/phi.ts";
import type { Prediction, RowProgram } from "./row-program.ts";
import { type StopSignal, throwIfStopped } from "./stop-signal.ts";

interface PredictOptions {
  /** of the model's logits */
  readonly program: RowProgram;
  readonly adapted: AdaptedModel;
  readonly phi: Phi;
  /** rows that are computed together; the results agree up to rounding whatever it is */
  readonly batch: number;
  /** ends the work between two batches */
  readonly signal?: StopSignal | undefined;
}

/** Results that are kept until the ones before them are there: this many numbers, about 64 MB, or one batch. */
const keptNumbers = 2 ** 24;
/** Rows that are sorted by length together, in batches. */
const windowBatches = 50;

/**
 * The logits of rows, in their order. Rows of similar length are computed together, padded on the right; only a
 * window of rows is held at a time, so that any number of them fits in memory.
 */
export async function* predictions(
  examples: readonly EncodedExample[],
  options: PredictOptions,
): AsyncGenerator<Prediction, void, void> {
  const { adapted, batch } = options;
  const phi = copyOf(options.phi);
  for (let start = 0; start < examples.length; ) {
    const end = windowEnd(examples, start, batch, adapted);
    yield* window(examples.slice(start, end), { ...options, phi });
    start = end;
  }
}

/** Where the window that begins at `start` ends. */
function windowEnd(examples: readonly EncodedExample[], start: number, batch: number, { goal, base }: AdaptedModel) {
  const head = heads[objectiveOf(goal.task).head];
  const outputs = head.from === "labels" ? goal.labels : base.model.sizes.vocabulary;
  let [end, numbers] = [start, 0];
  while (end < examples.length && end - start < windowBatches * batch) {
    numbers += head.of === "text" ? outputs : outputs * (examples[end]?.inputIds.length ?? 0);
    if (numbers > keptNumbers && end - start >= batch) break;
    end++;
  }
  return end;
}

async function* window(
  examples: readonly EncodedExample[],
  { program, phi, batch, signal }: PredictOptions,
): AsyncGenerator<Prediction, void, void> {
  const lengths = examples.map(({ inputIds }) => inputIds.length);
  const results = new Map<number, Prediction>();
  for (const rows of planEvaluation(lengths, batch)) {
    throwIfStopped(signal);
    const chosen = rows.flatMap((row) => examples[row] ?? []);
    const found = await program.run(phi, chosen, [phi]);
    for (const [i, row] of rows.entries()) {
      const prediction = found[i];
      if (prediction) results.set(row, prediction);
    }
  }
  for (let row = 0; row < examples.length; row++) {
    const result = results.get(row);
    if (result) yield result;
    results.delete(row);
  }
}

import { planEvaluation } from "../data/batches/batches.ts";
import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { InternalError } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { type Phi, tensorsOf } from "../peft/phi.ts";
import { compile, type Program } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { type StopSignal, throwIfStopped } from "./stop-signal.ts";

/** What the model says of one row. */
export interface Prediction {
  /** [classes] for a whole text, [tokens, classes] for its tokens, positions whose mask is 0 left out */
  readonly shape: readonly number[];
  readonly logits: Float32Array;
}

export interface PredictOptions {
  /** of `compileLogits` */
  readonly program: Program;
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
  for (let start = 0; start < examples.length; ) {
    const end = windowEnd(examples, start, batch, adapted);
    yield* window(examples.slice(start, end), options);
    start = end;
  }
}

/** Compiles an adapted model's forward pass. */
export const compileLogits = (engine: Engine, adapted: AdaptedModel): Promise<Program> =>
  compile(engine, { logits: adapted.forward().logits });

/** The logits of one batch of rows, in their order. */
export async function batchLogits(
  examples: readonly EncodedExample[],
  { program, adapted, phi }: Pick<PredictOptions, "program" | "adapted" | "phi">,
): Promise<readonly Prediction[]> {
  const { items: _, labels: __, ...inputs } = collate(examples, adapted.base.model.sizes.padId);
  const { logits } = await program.run({ ...tensorsOf(phi), ...inputs });
  if (logits?.dtype !== "float32") throw new InternalError("the logits should be float32");
  const size = logits.data.length / examples.length;
  return examples.map((example, i) =>
    rowPrediction(logits.data.subarray(i * size, (i + 1) * size), logits.shape.slice(1), example),
  );
}

/** Where the window that begins at `start` ends. */
function windowEnd(examples: readonly EncodedExample[], start: number, batch: number, { goal, base }: AdaptedModel) {
  const perToken = goal.task === "token-classification" ? goal.labels : base.model.sizes.vocabulary;
  const perText = goal.task === "classification" || goal.task === "regression" ? goal.labels : undefined;
  let [end, numbers] = [start, 0];
  while (end < examples.length && end - start < windowBatches * batch) {
    numbers += perText ?? perToken * (examples[end]?.inputIds.length ?? 0);
    if (numbers > keptNumbers && end - start >= batch) break;
    end++;
  }
  return end;
}

async function* window(
  examples: readonly EncodedExample[],
  options: PredictOptions,
): AsyncGenerator<Prediction, void, void> {
  const lengths = examples.map(({ inputIds }) => inputIds.length);
  const results = new Map<number, Prediction>();
  for (const rows of planEvaluation(lengths, options.batch)) {
    throwIfStopped(options.signal);
    const found = await batchLogits(
      rows.flatMap((row) => examples[row] ?? []),
      options,
    );
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

/** A row's part of a batch without its padding and without the positions that its mask leaves out. */
function rowPrediction(own: Float32Array, shape: readonly number[], example: EncodedExample): Prediction {
  if (shape.length === 1) return { shape, logits: own.slice() };
  const classes = shape.at(-1) ?? 1;
  const mask = example.attentionMask;
  const { length } = example.inputIds;
  const kept = Array.from({ length }, (_, token) => token).filter((token) => mask?.[token] !== 0);
  const logits = new Float32Array(kept.length * classes);
  for (const [at, token] of kept.entries()) {
    logits.set(own.subarray(token * classes, (token + 1) * classes), at * classes);
  }
  return { shape: [kept.length, classes], logits };
}

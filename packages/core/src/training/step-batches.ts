import { type BatchPlan, planEpoch } from "../data/batches/batches.ts";
import { collate, type NumberedBatch } from "../data/batches/collate.ts";
import { equalParts } from "../data/batches/equal-parts.ts";
import { type Masking, maskTokens } from "../data/batches/masking.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { type EncodedRows, lengthsOf, rowsAt } from "../data/rows/encoded-rows.ts";
import { random } from "../tensor/random.ts";
import type { TrainingSettings } from "./settings.ts";

/** What a run's batches are made of. */
interface BatchSource {
  readonly examples: EncodedRows;
  readonly settings: Pick<TrainingSettings, "batch" | "accumulate" | "workers" | "seed" | "shuffle">;
  /** hides tokens of examples without labels, anew in every epoch: how a masked LM learns from plain text */
  readonly masking?: Masking | undefined;
  readonly padId: number;
}

/** How many steps one pass over the examples takes. */
export const stepsInEpoch = ({
  examples,
  settings,
}: {
  readonly examples: EncodedRows;
  readonly settings: Pick<TrainingSettings, "batch" | "accumulate">;
}): number => Math.ceil(examples.length / (settings.batch * settings.accumulate));

/**
 * The micro-batches of every step, counted from 0: one large batch of batch · accumulate rows, cut in the order of its
 * rows, so that accumulating computes what the large batch does; each comes in a part for every worker. A pure function of
 * the step.
 */
export function stepBatches(source: BatchSource): (step: number) => Promise<readonly NumberedBatch[]> {
  const { examples, settings, padId } = source;
  const { batch, accumulate, workers, seed, shuffle } = settings;
  const lengths = lengthsOf(examples);
  const perEpoch = stepsInEpoch(source);
  let current: { readonly epoch: number; readonly plan: BatchPlan } | undefined;
  return async (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (current?.epoch !== epoch) {
      current = { epoch, plan: planEpoch(lengths, { batch: batch * accumulate, seed, epoch, shuffle }) };
    }
    const places = current.plan[step % perEpoch] ?? [];
    const found = await rowsAt(examples, places);
    const rows = found.map((example, i) => seenIn(epoch, example, places[i] ?? 0, source));
    return Array.from({ length: Math.ceil(rows.length / batch) }, (_, i) => {
      const [from, to] = [i * batch, (i + 1) * batch];
      const [micro, own] = [rows.slice(from, to), places.slice(from, to)];
      const parts = equalParts(lengthsOf(micro), workers);
      return parts.map((part) => {
        return { ...collate(chosen(micro, part), padId), rows: chosen(own, part) };
      });
    }).flat();
  };
}

const chosen = <T>(items: readonly T[], places: readonly number[]): readonly T[] =>
  places.flatMap((place) => items.slice(place, place + 1));

/** An example as one epoch sees it. */
function seenIn(
  epoch: number,
  example: EncodedExample,
  row: number,
  { masking, settings }: BatchSource,
): EncodedExample {
  if (!masking || example.target) return example;
  return maskTokens(example, masking, random(settings.seed, `masking of row ${row}`, epoch));
}

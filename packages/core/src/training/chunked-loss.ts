import { gradients } from "../autodiff/gradients.ts";
import { sumOverChunks } from "../graph/ops/scan.ts";
import { input, type Value } from "../graph/value.ts";
import { leavesOf } from "../graph/walk.ts";
import { countRight } from "../objectives/losses/cross-entropy.ts";
import type { ChosenStates } from "../peft/forward.ts";

/** A language model's output layer, on one chunk of the positions that have a label. */
interface ChunkedLogits extends ChosenStates {
  /** of one chunk, [1, rows, vocabulary] */
  readonly logits: Value;
  /** int32 [chunks, 1, rows] */
  readonly labels: Value;
}

/** The loss summed over the positions of a chunk. */
type ChunkLoss = (logits: Value, labels: Value) => Value;

/**
 * A loss summed over labelled positions, chunk by chunk: logits, probabilities and their gradients exist for one
 * chunk only. A chunk's gradient is computed where its logits are and multiplied by the factor of the loss afterwards,
 * which is exact, since the loss is a sum.
 *
 * @param trained what the loss is differentiated by besides the states, where the output layer reads it
 */
export function differentiableLoss(layer: ChunkedLogits, trained: readonly Value[], lossOf: ChunkLoss): Value {
  const { labels, chunked: chunks } = chunksOf(layer);
  const loss = lossOf(layer.logits, labels);
  const leaves = new Set(leavesOf([loss]));
  const numbered = leaves.has(layer.number) ? [[layer.numbers, layer.number] as const] : []; // dropout reads them
  const chunked = [...chunks, ...numbered];
  const by = [layer.chunk, ...trained.filter((value) => leaves.has(value))];
  const found = gradients(loss, by);
  const slopes = new Map(by.flatMap((value, i) => (found[i] ? [[value, found[i]] as const] : [])));
  return sumOverChunks({ chunked, sum: loss, slopes }).sum;
}

/** The same loss, not differentiated, and at how many positions no token is likelier than the label. */
export function measuredLoss(
  layer: ChunkedLogits,
  lossOf: ChunkLoss,
): { readonly loss: Value; readonly right: Value | undefined } {
  const { labels, chunked } = chunksOf(layer);
  const loss = lossOf(layer.logits, labels);
  const counted = [countRight(layer.logits, labels)];
  const { sum, others } = sumOverChunks({ chunked, sum: loss, others: counted, slopes: new Map() });
  return { loss: sum, right: others[0] };
}

/** The labels of one chunk, int32 [1, rows], and what goes into a chunk beside the whole. */
function chunksOf({ states, chunk, labels: all }: ChunkedLogits) {
  const labels = input("labels of a chunk", all.dtype, all.shape.slice(1));
  const chunked = [[states, chunk] as const, [all, labels] as const];
  return { labels, chunked };
}

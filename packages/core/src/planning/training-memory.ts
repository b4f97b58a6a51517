import type { Value } from "../graph/value.ts";
import { leavesOf } from "../graph/walk.ts";
import { isLanguageModel, objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { longestRow } from "../peft/longest-row.ts";
import { lengthOf } from "../peft/phi.ts";
import { sizeOf } from "../tensor/host-tensor.ts";
import { batchDim, tokensDim } from "../tensor/shape.ts";
import { memoryOf } from "../training/after-step.ts";
import { pieceLengths, scoresAtOnce } from "../training/long-rows.ts";
import { optimizers } from "../training/optimizers.ts";
import { stepGraph } from "../training/step.ts";
import { type Lengths, peakBytes } from "./liveness.ts";

/** How much is computed at a time. */
export interface Load {
  /** rows of a micro-batch, and tokens of a row */
  readonly batch: number;
  readonly tokens: number;
  /** micro-batches of a step */
  readonly accumulate: number;
}

/** Bytes that training takes at most, by part. */
export interface TrainingMemory {
  /** the sum of the others */
  readonly total: number;
  /** what the step reads of the base's files, mapped */
  readonly weights: number;
  /** Φ */
  readonly adapter: number;
  /** what has Φ's length beside it: the gradient, its sum over micro-batches, the optimizer's moments, a method's own */
  readonly moments: number;
  /** tensors between the step's inputs and outputs */
  readonly activations: number;
  /** the process itself: runtime, engine, program */
  readonly process: number;
}

/** The bytes of Node.js, ONNX Runtime and petl beside a model, measured with `bench/plan.mjs` on Linux x64. */
const processBytes = 215e6;

/** What the engine's arena takes for each byte that it gives out, measured in the same way. */
const arenaShare = 1.08;

/** The share of a vocabulary's rows whose gradient and moments texts of a language ever touch, by pages of memory. */
const touchedShare = 0.6;

/** What training takes with the usual optimizer and without a cache. */
export const trainingMemory = (adapted: AdaptedModel, load: Load): TrainingMemory => memoryOfTraining(adapted)(load);

/** The same for any load: the step's graph is built once, and once for long rows. */
export function memoryOfTraining(adapted: AdaptedModel): (load: Load) => TrainingMemory {
  const graphs = new Map<number | undefined, ReturnType<typeof measuredGraph>>();
  const graphOf = (atOnce: number | undefined) => {
    const graph = graphs.get(atOnce) ?? measuredGraph(adapted, atOnce);
    graphs.set(atOnce, graph);
    return graph;
  };
  const adapter = 4 * (lengthOf(adapted.layout) + besidePhi(adapted));
  return ({ batch, tokens, accumulate }) => {
    const vectors = 1 + (accumulate > 1 ? 1 : 0) + optimizers.adamw.moments + memoryOf(adapted);
    const load = { batch, tokens: Math.min(tokens, longestRow(adapted)) };
    const atOnce = scoresAtOnce(adapted, load, adapted.base.model.sizes.layers);
    const { weights, touched, peak } = graphOf(atOnce);
    const parts = {
      weights,
      adapter,
      moments: 4 * vectors * touched,
      activations: Math.round(arenaShare * peak(lengthsOf(adapted, load, atOnce))),
      process: processBytes,
    };
    return { total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0), ...parts };
  };
}

/** What is the same of a step's graph for all loads. */
function measuredGraph(adapted: AdaptedModel, atOnce: number | undefined) {
  const { losses, outputs, tables } = stepGraph(adapted, { dropout: 0, labelSmoothing: 0, scoresAtOnce: atOnce });
  const values = [...Object.values(losses), ...Object.values(outputs)];
  const peak = peakBytes(values, new Set(Object.values(outputs)));
  return { peak, weights: weightBytes(values), touched: touchedNumbers(adapted, tables) };
}

/** Numbers that lie beside Φ: where tensors started, and matrices that are never trained. */
function besidePhi({ layout, starts, projections }: AdaptedModel): number {
  const kept = layout.filter(({ name }) => starts.includes(name));
  return [...kept, ...projections].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** How many numbers of a vector of Φ's length are ever written: of tables that are looked up not all. */
function touchedNumbers({ layout }: AdaptedModel, tables: readonly string[]): number {
  const looked = layout.filter(({ name }) => tables.includes(name)).reduce((sum, { size }) => sum + size, 0);
  return lengthOf(layout) - Math.round((1 - touchedShare) * looked);
}

/** Each frozen tensor that a graph reads, once. */
function weightBytes(values: readonly Value[]): number {
  const places = new Map(
    leavesOf(values).flatMap(({ source }) =>
      source.kind === "weight"
        ? [[`${source.tensor.file}:${source.tensor.offset}`, source.tensor.byteLength] as const]
        : [],
    ),
  );
  return [...places.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** The share of tokens that a masked language model is asked for (Devlin et al. 2018, section 3.1). */
const maskedShare = 0.15;

function lengthsOf(
  adapted: AdaptedModel,
  { batch, tokens }: Pick<Load, "batch" | "tokens">,
  atOnce: number | undefined,
): Lengths {
  const { goal, projections, base } = adapted;
  const labelled =
    objectiveOf(goal.task).unlabelled === "hidden tokens"
      ? Math.ceil(maskedShare * batch * tokens)
      : batch * (tokens - 1);
  const most = Math.max(1, Math.floor(2 ** 24 / base.model.sizes.vocabulary));
  const chunks = Math.max(1, Math.ceil(labelled / most));
  const rows = isLanguageModel(goal.task) ? { chunks, rows: Math.max(1, Math.ceil(labelled / chunks)) } : {};
  const matrices = projections.flatMap(({ name, shape: [height = 1, columns = 1] }) => [
    [`${name}.rows`, height] as const,
    [`${name}.columns`, columns] as const,
  ]);
  const [pieces = 0, piece = 0] = pieceLengths(adapted, [batch, tokens], atOnce ?? 0);
  const own = { ...rows, pieces, piece };
  return new Map([[batchDim, batch], [tokensDim, tokens], ...Object.entries(own), ...matrices]);
}

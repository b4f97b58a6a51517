import type { NumberedBatch } from "../data/batches/collate.ts";
import { lengthsOf, longestOf } from "../data/rows/encoded-rows.ts";
import type { Engine } from "../runtime/session.ts";
import { bytesOfRows, type CachedStep, compileCached, type SplitStep, splitStep } from "./frozen-cache.ts";
import type { KeptType } from "./kept-type.ts";
import { scoresAtOnce } from "./long-rows.ts";
import { memoryStore, type RowStore } from "./row-store.ts";
import { fittedTo, type StepOptions, stepGraph } from "./step.ts";
import type { TrainingRun } from "./train.ts";

/** Where what stays the same from epoch to epoch is kept; `auto` decides by what it saves and what there is room for. */
export const cacheModes = ["auto", "off", "memory", "disk"] as const;
export type CacheMode = (typeof cacheModes)[number];

/** What is kept at most, where and how. */
export interface CacheChoice {
  readonly cache: CacheMode;
  /** the most bytes that are kept; all where left out */
  readonly cacheSize?: number | undefined;
  readonly cacheType: KeptType;
}

/** How a run keeps what stays the same. */
export interface CacheOptions extends CacheChoice {
  /** bytes of memory, and of the disk, that `auto` may take */
  readonly room: { readonly memory: number; readonly disk: number };
  /** Opens a store of at most so many bytes on the disk; undefined where there can be none, which it has said. */
  openDisk(bytes: number): Promise<RowStore | undefined>;
  /** Says what was decided, in one line. */
  remark(text: string): void;
}

/** Below this share of a step's products a cache is not worth what it keeps. */
const leastShare = 0.1;

/** How a run builds its step. */
export const stepOptions = ({
  adapted,
  examples,
  settings,
  classWeights,
}: Pick<TrainingRun, "adapted" | "examples" | "settings" | "classWeights">): StepOptions => {
  const { baseDropout: dropout, labelSmoothing, pack, recompute, prepack, batch, workers } = settings;
  const widest = { batch: Math.ceil(batch / workers), tokens: longestOf(examples) };
  return {
    dropout,
    labelSmoothing,
    classWeights,
    packed: pack !== undefined,
    recompute,
    prepack,
    scoresAtOnce: scoresAtOnce(adapted, widest, recompute ? 1 : adapted.base.model.sizes.layers),
  };
};

/** The step of a run with its cache, for each engine; all share what is kept. Undefined where nothing is kept. */
export async function openCache(
  run: TrainingRun,
  engines: readonly Engine[],
  stepsPerEpoch: number,
  steps: number,
): Promise<readonly CachedStep[] | undefined> {
  const { cache, adapted, settings, examples } = run;
  if (!cache || cache.cache === "off") return undefined;
  const off = (reason: string) => cache.remark(`cache: off, since ${reason}`);
  if (settings.baseDropout > 0) return void off("the base's own dropout changes what it gives at every step");
  if ("areEstimates" in examples && examples.areEstimates)
    return void off("there are too many rows to keep what it gives for them");
  if (run.masking) return void off("other tokens are hidden in every epoch");
  if (steps <= stepsPerEpoch) return void off("no row is read twice");
  const split = splitStep(stepGraph(adapted, fittedTo(run.engine, stepOptions(run))), adapted);
  if (!split) return void off("everything that costs products is trained");
  const lengths = lengthsOf(examples);
  const { cacheType: type } = cache;
  const store = await storeFor(split, bytesOfRows(split, lengths, type), cache);
  return store && Promise.all(engines.map((engine) => compileCached(engine, split, lengths, { store, type })));
}

/** Computes what a run that goes on had kept when it stopped, in the same batches. */
export async function refill(
  cached: CachedStep,
  steps: number,
  batchesOf: (step: number) => Promise<readonly NumberedBatch[]>,
): Promise<void> {
  for (let step = 0; step < steps; step++) for (const batch of await batchesOf(step)) await cached.fill(batch);
}

async function storeFor(split: SplitStep, needed: number, cache: CacheOptions): Promise<RowStore | undefined> {
  const { cache: mode, room, cacheSize: bytes = Number.POSITIVE_INFINITY, remark } = cache;
  const saves = `${Math.round(100 * split.savedShare)} % of a step's products`;
  if (mode === "auto" && split.savedShare < leastShare)
    return void remark(`cache: off, since it would save no more than ${saves}`);
  const wanted = Math.min(needed, bytes);
  const place = mode === "auto" ? (wanted <= room.memory ? "memory" : wanted <= room.disk ? "disk" : "memory") : mode;
  const most = mode === "auto" && place === "memory" ? Math.min(wanted, room.memory) : wanted;
  const share = most < needed ? ` for ${Math.floor((100 * most) / needed)} % of the rows` : "";
  remark(`cache: ${place}, up to ${(most / 1e6).toFixed(1)} MB${share}, saves ${saves} from the second epoch on`);
  return place === "disk" ? cache.openDisk(most) : memoryStore(most);
}

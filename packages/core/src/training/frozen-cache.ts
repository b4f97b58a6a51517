import type { Batch, NumberedBatch } from "../data/batches/collate.ts";
import { InternalError } from "../errors.ts";
import { frozenCut } from "../graph/frozen-cut.ts";
import { substitute } from "../graph/substitute.ts";
import { input, type Value } from "../graph/value.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { startName } from "../peft/phi.ts";
import { compile } from "../runtime/program.ts";
import type { Engine, Tensors } from "../runtime/session.ts";
import { type HostTensor, int32 } from "../tensor/host-tensor.ts";
import { type RowLayout, rowLayout } from "./kept-rows.ts";
import { type KeptType, keptForms } from "./kept-type.ts";
import { pieceRowsName } from "./long-rows.ts";
import type { RowStore } from "./row-store.ts";
import { compileGraph, type StepGraph, type TrainingStep } from "./step.ts";

/** A step's graph in two parts: what is the same for a row in every epoch, and the rest, which reads it. */
export interface SplitStep {
  /** the values that the first part makes, by name */
  readonly kept: Readonly<Record<string, Value>>;
  readonly layout: RowLayout;
  readonly rest: StepGraph;
  readonly savedShare: number;
}

/** Where what is kept of rows is held, and how. */
export interface KeptRows {
  readonly store: RowStore;
  readonly type: KeptType;
}

/** A step that keeps what its frozen part makes of a row. */
export interface CachedStep extends TrainingStep {
  /** Computes and keeps what is not kept yet of a batch, as the step itself would. */
  fill(batch: NumberedBatch): Promise<void>;
}

const rowInputs = ["input_ids", "attention_mask", "token_type_ids", "documents"] as const;

/** Cuts a step's graph; undefined where no product of it is the same in every epoch. */
export function splitStep(graph: StepGraph, { starts, projections }: AdaptedModel): SplitStep | undefined {
  const still = new Set([pieceRowsName, ...starts.map(startName), ...projections.map(({ name }) => name)]);
  const isRow = (name: string) => rowInputs.some((row) => row === name);
  const named = Object.entries({ ...graph.losses, ...graph.outputs });
  const values = named.map(([, value]) => value);
  const cut = frozenCut(values, { isRow, isMoving: (name) => !isRow(name) && !still.has(name) });
  if (!cut) return undefined;
  const kept = Object.fromEntries(cut.kept.map((value, i) => [`kept ${i}`, value]));
  const again = substitute(values, (leaf) => leaf, readAs(kept));
  const rest = Object.fromEntries(named.flatMap(([name], i) => (again[i] ? [[name, again[i]] as const] : [])));
  const among = (part: Readonly<Record<string, Value>>) =>
    Object.fromEntries(Object.keys(part).flatMap((name) => (rest[name] ? [[name, rest[name]] as const] : [])));
  return {
    kept,
    layout: rowLayout(kept),
    savedShare: cut.savedShare,
    rest: { ...graph, losses: among(graph.losses), outputs: among(graph.outputs) },
  };
}

/** Kept values as inputs of the rest. */
const readAs = (kept: Readonly<Record<string, Value>>): ReadonlyMap<Value, Value> =>
  new Map(Object.entries(kept).map(([name, value]) => [value, input(name, value.dtype, value.shape)]));

/**
 * Compiles both parts. What is missing of a batch is computed in the batch itself where all of it is, otherwise in a batch
 * of the missing rows alone; either way a row's numbers do not depend on its neighbours.
 */
export async function compileCached(
  engine: Engine,
  { kept, layout, rest }: SplitStep,
  lengths: ArrayLike<number>,
  { store, type }: KeptRows,
): Promise<CachedStep> {
  const first = await compile(engine, kept, { packs: rest.packs });
  const valuesOf = async (batch: NumberedBatch): Promise<Tensors> => {
    const { rows } = batch;
    if (!rows) throw new InternalError("what is kept from epoch to epoch needs the rows' places");
    const held = await Promise.all(rows.map((row) => store.read(row)));
    const found = held.map((bytes) => bytes && keptForms[type].unpack(bytes));
    const missing = [...rows.keys()].filter((i) => found[i] === undefined);
    if (missing.length > 0) {
      const read = rowsOf(batch, missing);
      const values = await first.run({ ...read, ...rest.feedLengths(read) });
      for (const [at, i] of missing.entries()) {
        const row = rows[i] ?? 0;
        const numbers = layout.take(values, at, lengths[row] ?? 0);
        found[i] = numbers;
        await store.write(row, keptForms[type].pack(numbers));
      }
      if (missing.length === rows.length) return values;
    }
    return layout.join(
      found.flatMap((numbers) => numbers ?? []),
      rows.map((row) => lengths[row] ?? 0),
    );
  };
  const step = await compileGraph(engine, rest, valuesOf);
  return {
    run: step.run,
    async fill(batch) {
      await valuesOf(batch);
    },
    async release() {
      await first.release();
      await step.release();
      await store.close();
    },
  };
}

/** Some rows of what the first part reads of a batch. */
function rowsOf(batch: Batch, chosen: readonly number[]): Tensors {
  const parts = rowInputs.flatMap((name) => {
    const tensor = batch[name];
    return tensor ? [[name, chosenRows(tensor, chosen)] as const] : [];
  });
  return Object.fromEntries(parts);
}

function chosenRows({ dtype, shape, data }: HostTensor, chosen: readonly number[]): HostTensor {
  if (dtype !== "int32") throw new InternalError(`ids and masks are int32, not ${dtype}`);
  const [rows = 0, tokens = 0] = shape;
  if (chosen.length === rows) return int32(shape, data);
  const picked = new Int32Array(chosen.length * tokens);
  for (const [at, row] of chosen.entries()) picked.set(data.subarray(row * tokens, (row + 1) * tokens), at * tokens);
  return int32([chosen.length, tokens], picked);
}

/** How many bytes all rows need. */
export const bytesOfRows = ({ layout }: SplitStep, lengths: ArrayLike<number>, type: KeptType): number =>
  Array.from(lengths).reduce((sum, tokens) => sum + keptForms[type].bytesPerNumber * layout.numbersOf(tokens), 0);

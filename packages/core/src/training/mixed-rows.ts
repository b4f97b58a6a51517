import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { InternalError } from "../errors.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import { inSlot, type JoinedKinds, slotTensors } from "../peft/joined.ts";
import { lengthOf } from "../peft/phi.ts";
import type { Engine } from "../runtime/session.ts";
import { int32 } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import { compileForward } from "./long-rows.ts";
import { outputOf, type Prediction, type RowOutput, rowsOf } from "./row-program.ts";

/** A row and the slot of its adapter. */
export interface SlottedRow {
  readonly slot: number;
  readonly row: EncodedExample;
}

/** A compiled model whose rows are each computed with an adapter of their own, out of those that lie in its slots. */
export interface MixedRowProgram {
  /** Puts an adapter into a slot, over what was there. Not while rows are computed. */
  put(slot: number, adapter: AdapterNumbers): void;
  /** Computes rows side by side; what becomes of one does not depend on the others or on their adapters. */
  run(rows: readonly SlottedRow[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/**
 * Compiles joined kinds of adapters. Φ's tensors are fed as [slots, …], and each row reads those of its slot: y = W x + B[slot]
 * (A[slot] x) for LoRA. Logits are cut to the labels of each row's own head.
 */
export async function compileMixedRows(
  engine: Engine,
  joined: JoinedKinds,
  output: RowOutput,
  slots: number,
): Promise<MixedRowProgram> {
  const { layout, base, forward } = joined.adapted;
  const program = await compileForward(engine, joined.adapted, {
    [output]: outputOf(forward({ mixed: true }), output),
  });
  const held: Lender = { values: new Float32Array(slots * lengthOf(layout)) };
  const labels = new Map<number, number | undefined>();
  return {
    put(slot, adapter) {
      joined.place(adapter, held.values, inSlot(slot, slots));
      labels.set(slot, output === "logits" ? joined.labelsOf(adapter.adapted) : undefined);
    },
    async run(asked) {
      const rows = asked.map(({ row }) => row);
      const { items: _, labels: __, ...batch } = collate(rows, base.model.sizes.padId);
      const chosen = int32(
        [rows.length],
        Int32Array.from(asked, ({ slot }) => slot),
      );
      const fed = { ...slotTensors(layout, slots, held.values), ...batch, slots: chosen };
      const found = rowsOf(await program.run(fed, {}, [held]), rows, output);
      return found.map((prediction, at) => cut(prediction, labels.get(asked[at]?.slot ?? -1)));
    },
    release: () => program.release(),
  };
}

/** The first so many of each position's numbers.  [..., all] -> [..., count] */
function cut(prediction: Prediction, count: number | undefined): Prediction {
  const { shape, logits } = prediction;
  const all = shape.at(-1) ?? 1;
  if (count === undefined || count === all) return prediction;
  if (count > all) throw new InternalError(`a head of ${count} labels does not fit into ${all}`);
  const positions = logits.length / all;
  const kept = new Float32Array(positions * count);
  for (let at = 0; at < positions; at++) kept.set(logits.subarray(at * all, at * all + count), at * count);
  return { shape: [...shape.slice(0, -1), count], logits: kept };
}

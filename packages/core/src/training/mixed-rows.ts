import { collate } from "../data/batches/collate.ts";
import type { EncodedExample } from "../data/rows/encode.ts";
import { refuse } from "../errors.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { aloneBecause } from "../peft/alone-because.ts";
import { lengthOf, type Phi } from "../peft/phi.ts";
import { compile } from "../runtime/program.ts";
import type { Engine } from "../runtime/session.ts";
import { float32, int32 } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import { outputOf, type Prediction, type RowOutput, rowsOf } from "./row-program.ts";

/** A row and the slot of its adapter. */
export interface SlottedRow {
  readonly slot: number;
  readonly row: EncodedExample;
}

/** A compiled model whose rows are each computed with an adapter of their own, out of those that lie in its slots. */
export interface MixedRowProgram {
  /** Puts an adapter's Φ into a slot, over what was there. Not while rows are computed. */
  put(slot: number, phi: Phi): void;
  /** Computes rows side by side; what becomes of one does not depend on the others or on their adapters. */
  run(rows: readonly SlottedRow[]): Promise<readonly Prediction[]>;
  release(): Promise<void>;
}

/**
 * Compiles the models of many adapters of the same methods, options and goal as one. Φ's tensors are fed as [slots, …],
 * and each row reads those of its slot.
 *
 * @throws InputError with the reasons where adapters of this kind are computed one at a time
 */
export async function compileMixedRows(
  engine: Engine,
  adapted: AdaptedModel,
  output: RowOutput,
  slots: number,
): Promise<MixedRowProgram> {
  refuse(aloneBecause(adapted));
  const { layout, base } = adapted;
  const program = await compile(engine, { [output]: outputOf(adapted.forward({ mixed: true }), output) });
  const held: Lender = { values: new Float32Array(slots * lengthOf(layout)) };
  const tensors = () =>
    layout.map(({ name, shape, offset, size }) => {
      const values = held.values.subarray(slots * offset, slots * (offset + size));
      return [name, float32([slots, ...shape], values)] as const;
    });
  return {
    put(slot, { values }) {
      for (const { offset, size } of layout) {
        held.values.set(values.subarray(offset, offset + size), slots * offset + slot * size);
      }
    },
    async run(asked) {
      const rows = asked.map(({ row }) => row);
      const { items: _, labels: __, ...batch } = collate(rows, base.model.sizes.padId);
      const chosen = int32(
        [rows.length],
        Int32Array.from(asked, ({ slot }) => slot),
      );
      const fed = { ...Object.fromEntries(tensors()), ...batch, slots: chosen };
      return rowsOf(await program.run(fed, undefined, held), rows, output);
    },
    release: () => program.release(),
  };
}

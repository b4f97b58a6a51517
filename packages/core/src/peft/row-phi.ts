import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { AdapterNumbers } from "./adapter.ts";
import { inSlot, type JoinedKinds } from "./joined.ts";
import { overTokens } from "./own-tensors.ts";
import { lengthOf, type Phi } from "./phi.ts";

/**
 * Φ of each row of a batch, tensor by tensor: [rows, …]. A row whose adapter lies there already is not copied again, so that
 * rows that ask the same adapters batch after batch cost no copies.
 */
export interface RowPhi {
  /** What is lent to a run. Adapters are put while it is not. */
  readonly lender: Lender;
  /** whose numbers lie at each row */
  held(): readonly (Phi | undefined)[];
  /** Puts an adapter's numbers at a row, as they are now; a copy of another row's where one has them. */
  put(row: number, adapter: AdapterNumbers): void;
  /** The first rows' numbers as a mixed graph reads them. */
  tensors(rows: number): Readonly<Record<string, HostTensor>>;
}

/** @param most rows that there is room for */
export function rowPhi({ adapted: { layout }, place }: JoinedKinds, most: number): RowPhi {
  const lender: Lender = { values: new Float32Array(most * lengthOf(layout)) };
  const held: (Phi | undefined)[] = Array.from({ length: most }, () => undefined);
  const copy = (from: number, to: number): void => {
    for (const tensor of layout) {
      const start = inSlot(from, most)(tensor);
      lender.values.copyWithin(inSlot(to, most)(tensor), start, start + tensor.size);
    }
  };
  return {
    lender,
    held: () => held,
    put(row, adapter) {
      if (row >= most) throw new RangeError(`row ${row} of ${most}`);
      const there = held.indexOf(adapter.phi);
      if (there < 0) place(adapter, lender.values, inSlot(row, most));
      else if (there !== row) copy(there, row);
      held[row] = adapter.phi;
    },
    tensors: (rows) =>
      Object.fromEntries(
        layout.map(({ name, shape, offset, size }) => {
          const own = lender.values.subarray(most * offset, most * offset + rows * size);
          return [name, float32([rows, ...overTokens(shape)], own)] as const;
        }),
      ),
  };
}

/**
 * Which row each adapter's is best put at: the rows that hold it already, as far as they go, else any.
 * @param count rows, as many as there are adapters
 */
export function bestRows(held: readonly (Phi | undefined)[], adapters: readonly AdapterNumbers[]): readonly number[] {
  const count = adapters.length;
  const free = new Map<Phi | undefined, number[]>();
  for (let row = count - 1; row >= 0; row--) {
    const rows = free.get(held[row]) ?? [];
    free.set(held[row], rows);
    rows.push(row);
  }
  const kept = adapters.map(({ phi }) => free.get(phi)?.pop());
  const others = [...free.values()].flat();
  return kept.map((row) => row ?? others.pop() ?? 0);
}

import type { AdapterNumbers } from "../peft/adapter.ts";
import { inSlot, type JoinedKinds } from "../peft/joined.ts";
import { overTokens } from "../peft/own-tensors.ts";
import { lengthOf, type Phi, type Placed } from "../peft/phi.ts";
import type { HeldMove, HeldTensor } from "../runtime/held.ts";
import type { Engine } from "../runtime/session.ts";

/**
 * Φ of each row of a batch, tensor by tensor: [rows, …], on the engine's side. A row whose adapter lies there already is not
 * copied again, so that rows that ask the same adapters batch after batch cost no copies.
 */
export interface RowPhi {
  /** whose numbers lie at each row */
  held(): readonly (Phi | undefined)[];
  /** Puts adapters' numbers at the first rows, in their order, as they are now. Neither beside another call nor beside a run. */
  put(adapters: readonly AdapterNumbers[]): Promise<void>;
  /** The first rows' numbers as a mixed graph reads them. */
  tensors(rows: number): Readonly<Record<string, HeldTensor>>;
  /** Gives the memory back. */
  release(): Promise<void>;
}

/**
 * @param most rows that there is room for
 * @param underWay numbers that are on their way to the engine at a time, 16 MB; those of one adapter at least
 */
export async function rowPhi(
  engine: Pick<Engine, "hold" | "share">,
  { adapted: { layout }, place }: JoinedKinds,
  most: number,
  underWay = 2 ** 22,
): Promise<RowPhi> {
  const length = lengthOf(layout);
  const room = Math.max(1, Math.min(most, Math.floor(underWay / Math.max(1, length))));
  const numbers = await engine.hold(most * length);
  const shared = engine.share(room * length);
  const held: (Phi | undefined)[] = Array.from({ length: most }, () => undefined);
  const copy = async (adapters: readonly RowsOf[]): Promise<void> => {
    for (const [slot, { adapter }] of adapters.entries()) place(adapter, shared.values, inSlot(slot, room));
    const rows = adapters.flatMap(({ adapter: { phi }, rows: own }, slot) => own.map((row) => ({ phi, row, slot })));
    for (const { row } of rows) held[row] = undefined; // also where the copy fails
    await numbers.copy(shared, movesOf(rows, layout, { room, most }));
    for (const { row, phi } of rows) held[row] = phi;
  };
  return {
    held: () => held,
    async put(adapters) {
      if (adapters.length > most) throw new RangeError(`${adapters.length} rows of ${most}`);
      const missing = missingOf(held, adapters);
      for (let start = 0; start < missing.length; start += room) await copy(missing.slice(start, start + room));
    },
    tensors: (rows) =>
      Object.fromEntries(
        layout.map(({ name, shape, offset }) => {
          const tensor = { held: numbers, start: most * offset, shape: [rows, ...overTokens(shape)] };
          return [name, tensor] as const;
        }),
      ),
    release: () => numbers.release(),
  };
}

/** An adapter and the rows that lack its numbers. */
interface RowsOf {
  readonly adapter: AdapterNumbers;
  readonly rows: readonly number[];
}

function missingOf(held: readonly (Phi | undefined)[], adapters: readonly AdapterNumbers[]): readonly RowsOf[] {
  const missing = new Map<Phi, RowsOf>();
  for (const [row, adapter] of adapters.entries()) {
    if (held[row] === adapter.phi) continue;
    const rows = [...(missing.get(adapter.phi)?.rows ?? []), row];
    missing.set(adapter.phi, { adapter, rows });
  }
  return [...missing.values()];
}

/** From slots, of which there is `room`, to rows, `most`: those side by side whose slots are as far apart go at once. */
function movesOf(
  rows: readonly { readonly row: number; readonly slot: number }[],
  layout: readonly Placed[],
  { room, most }: { readonly room: number; readonly most: number },
): readonly HeldMove[] {
  const runs: { row: number; slot: number; pieces: number; step: number }[] = [];
  for (const { row, slot } of [...rows].sort((a, b) => a.row - b.row)) {
    const last = runs.at(-1);
    const step = last && (last.pieces === 1 ? slot - last.slot : last.step);
    if (last && step !== undefined && row === last.row + last.pieces && slot === last.slot + last.pieces * step)
      Object.assign(last, { pieces: last.pieces + 1, step });
    else runs.push({ row, slot, pieces: 1, step: 0 });
  }
  return runs.flatMap(({ row, slot, pieces, step }) =>
    layout.map((tensor) => ({
      pieces,
      length: tensor.size,
      from: { start: inSlot(slot, room)(tensor), step: step * tensor.size },
      to: { start: inSlot(row, most)(tensor), step: tensor.size },
    })),
  );
}

/**
 * Which row each adapter's is best put at: the rows that hold it already, as far as they go, else any; those of an adapter
 * side by side.
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
  const others = [...free.values()].flat().sort((a, b) => a - b);
  const turn = new Map([...adapters.entries()].reverse().map(([i, { phi }]) => [phi, i]));
  const missing = [...adapters.entries()].filter(([i]) => kept[i] === undefined);
  missing.sort(([, a], [, b]) => (turn.get(a.phi) ?? 0) - (turn.get(b.phi) ?? 0));
  const placed = new Map(missing.map(([i], at) => [i, others[at]]));
  return kept.map((row, i) => row ?? placed.get(i) ?? 0);
}

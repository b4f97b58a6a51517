import type { JoinedInput } from "../graph/joined-products.ts";
import type { AdapterNumbers } from "../peft/adapter.ts";
import type { JoinedKinds, StandingTensor } from "../peft/joined.ts";
import { overTokens } from "../peft/own-tensors.ts";
import { lengthOf, requireThere } from "../peft/phi.ts";
import type { HeldMove, HeldTensor, SharedNumbers } from "../runtime/held.ts";
import type { Engine } from "../runtime/session.ts";
import { type RowUnit, rowUnits, startsIn } from "./row-units.ts";

/**
 * Φ of each row of a batch, tensor by tensor: [rows, …], on the engine's side. A row whose adapter lies there already, with the
 * array of numbers that it has now, is not copied again, so that rows that ask the same adapters batch after batch cost no copies.
 */
export interface RowPhi {
  /** the numbers that lie at each row, by the array that they were copied from */
  held(): readonly Held[];
  /**
   * Puts adapters' numbers at the first rows, in their order, as they are now. Once they are on their way a run reads them, whose
   * result is good if they arrived. Neither beside another call nor beside a run.
   * @throws InputError where a Φ is with the engine
   */
  put(adapters: readonly AdapterNumbers[]): Promise<{ readonly arrived: Promise<void> }>;
  /** The first rows' numbers as a mixed graph reads them. */
  tensors(rows: number): Readonly<Record<string, HeldTensor>>;
  /** Gives the memory back. */
  release(): Promise<void>;
}

type Held = Float32Array | undefined;

/**
 * Numbers that the engine's side sees, and that stand in Φ as the rows need them, go there at once; others are padded first, in
 * memory that both have.
 * @param inputs that the graph reads in place of several tensors
 * @param most rows that there is room for
 * @param underWay padded numbers that are on their way to the engine at a time, 16 MB; those of one adapter at least
 */
export async function rowPhi(
  engine: Pick<Engine, "hold" | "share" | "sees">,
  { adapted: { layout }, place, standing }: JoinedKinds,
  inputs: readonly JoinedInput[],
  most: number,
  underWay = 2 ** 22,
): Promise<RowPhi> {
  const length = lengthOf(layout);
  const room = Math.max(1, Math.min(most, Math.floor(underWay / Math.max(1, length))));
  const numbers = await engine.hold(most * length);
  const padded: SharedNumbers[] = [];
  const paddedAt = (slot: number): SharedNumbers => {
    padded[slot] ??= engine.share(length);
    return padded[slot];
  };
  const asPadded = layout.map((target) => ({ target, own: target }));
  const held: Held[] = Array.from({ length: most }, () => undefined);
  const units = rowUnits(layout, inputs, most);
  const movesTo = movesToRows(units);
  const seen = ({ adapted, phi }: AdapterNumbers): readonly StandingTensor[] | undefined =>
    engine.sees(phi.values) ? standing(adapted) : undefined;
  const copy = async (adapters: readonly RowsOf[]): Promise<void> => {
    if (adapters.length === 0) return;
    for (const { adapter } of adapters) requireThere(adapter.phi);
    const sources = adapters.flatMap(({ adapter, rows: own }, slot) => {
      const places = seen(adapter);
      const from = places ? adapter.phi : paddedAt(slot);
      if (!places) place(adapter, from.values, ({ offset }) => offset);
      return own.map((row) => ({ from, moves: movesTo(places ?? asPadded, row) }));
    });
    const rows = adapters.flatMap(({ adapter, rows: own }) => own.map((row) => ({ row, values: adapter.phi.values })));
    for (const { row } of rows) held[row] = undefined; // also where the copy fails
    await numbers.copy(sources);
    for (const { row, values } of rows) held[row] = values;
  };
  return {
    held: () => held,
    async put(adapters) {
      if (adapters.length > most) throw new RangeError(`${adapters.length} rows of ${most}`);
      const missing = missingOf(held, adapters);
      const others = missing.filter(({ adapter }) => !seen(adapter));
      let arrived = Promise.resolve();
      for (let start = 0; start < others.length; start += room) {
        await arrived; // what is padded next takes its memory
        arrived = copy(others.slice(start, start + room));
      }
      const direct = copy(missing.filter(({ adapter }) => seen(adapter)));
      return { arrived: Promise.all([arrived, direct]).then(() => undefined) };
    },
    tensors: (rows) =>
      Object.fromEntries(
        units.map(({ name, start, shape }) => [name, { held: numbers, start, shape: [rows, ...overTokens(shape)] }]),
      ),
    release: () => numbers.release(),
  };
}

/** Where a kind's tensors go so that they are a row's, one list for the same places and row: it is made and sent once. */
function movesToRows(units: readonly RowUnit[]) {
  const startOf = startsIn(units);
  const known = new WeakMap<readonly StandingTensor[], (readonly HeldMove[])[]>();
  return (places: readonly StandingTensor[], row: number): readonly HeldMove[] => {
    const rows = known.get(places) ?? [];
    known.set(places, rows);
    rows[row] ??= places.map(({ own, target }) => ({
      pieces: 1,
      length: target.size,
      from: { start: own.offset, step: 0 },
      to: { start: startOf(target, row), step: 0 },
    }));
    return rows[row];
  };
}

/** An adapter and the rows that lack its numbers. */
interface RowsOf {
  readonly adapter: AdapterNumbers;
  readonly rows: readonly number[];
}

function missingOf(held: readonly Held[], adapters: readonly AdapterNumbers[]): readonly RowsOf[] {
  const missing = new Map<Held, RowsOf>();
  for (const [row, adapter] of adapters.entries()) {
    const { values } = adapter.phi;
    if (held[row] === values) continue;
    const rows = [...(missing.get(values)?.rows ?? []), row];
    missing.set(values, { adapter, rows });
  }
  return [...missing.values()];
}

/**
 * Which row each adapter's is best put at: the rows that hold it already, as far as they go, else any; those of an adapter
 * side by side.
 */
export function bestRows(held: readonly Held[], adapters: readonly AdapterNumbers[]): readonly number[] {
  const count = adapters.length;
  const free = new Map<Held, number[]>();
  for (let row = count - 1; row >= 0; row--) {
    const rows = free.get(held[row]) ?? [];
    free.set(held[row], rows);
    rows.push(row);
  }
  const kept = adapters.map(({ phi }) => free.get(phi.values)?.pop());
  const others = [...free.values()].flat().sort((a, b) => a - b);
  const turn = new Map([...adapters.entries()].reverse().map(([i, { phi }]) => [phi.values, i]));
  const missing = [...adapters.entries()].filter(([i]) => kept[i] === undefined);
  missing.sort(([, a], [, b]) => (turn.get(a.phi.values) ?? 0) - (turn.get(b.phi.values) ?? 0));
  const placed = new Map(missing.map(([i], at) => [i, others[at]]));
  return kept.map((row, i) => row ?? placed.get(i) ?? 0);
}

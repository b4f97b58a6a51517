import { InternalError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import type { Tensors } from "../runtime/session.ts";
import { float32, sizeOf } from "../tensor/host-tensor.ts";
import { tokensDim } from "../tensor/shape.ts";

/** What is kept of one row: of each value its part, one behind the other; of values with tokens those that the row has. */
export interface RowLayout {
  /** how many numbers a row of so many tokens has */
  numbersOf(tokens: number): number;
  /** The parts of a batch's row among values as they were computed. */
  take(values: Tensors, row: number, tokens: number): Float32Array;
  /** Values of a batch as its rows give them, zeros behind their ends. */
  join(rows: readonly Float32Array[], lengths: readonly number[]): Tensors;
}

/** One value's axes: [batch, before…, tokens, behind…]. */
interface Axes {
  readonly name: string;
  readonly shape: Value["shape"];
  readonly before: number;
  /** whether there is an axis of tokens */
  readonly long: boolean;
  readonly behind: number;
}

/** The layout of kept values by their names. */
export function rowLayout(kept: Readonly<Record<string, Value>>): RowLayout {
  const all = Object.entries(kept).map(([name, { shape }]) => axesOf(name, shape));
  const lengthIn = ({ before, long, behind }: Axes, tokens: number) => before * (long ? tokens : 1) * behind;
  return {
    numbersOf: (tokens) => all.reduce((sum, axes) => sum + lengthIn(axes, tokens), 0),
    take(values, row, tokens) {
      const parts = new Float32Array(all.reduce((sum, axes) => sum + lengthIn(axes, tokens), 0));
      let at = 0;
      for (const axes of all) {
        const tensor = values[axes.name];
        if (tensor?.dtype !== "float32") throw new InternalError(`"${axes.name}" should be float32`);
        const size = sizeOf(tensor.shape.slice(1));
        const whole = tensor.data.subarray(row * size, (row + 1) * size);
        for (const [from, length] of stretches(axes, tokens, size)) {
          parts.set(whole.subarray(from, from + length), at);
          at += length;
        }
      }
      return parts;
    },
    join(rows, lengths) {
      const longest = Math.max(0, ...lengths);
      const taken = rows.map(() => 0);
      return Object.fromEntries(
        all.map((axes) => {
          const size = lengthIn(axes, longest);
          const data = new Float32Array(rows.length * size);
          for (const [row, parts] of rows.entries()) {
            for (const [from, length] of stretches(axes, lengths[row] ?? 0, size)) {
              const start = taken[row] ?? 0;
              data.set(parts.subarray(start, start + length), row * size + from);
              taken[row] = start + length;
            }
          }
          const shape = axes.shape.map((dim, axis) =>
            axis === 0 ? rows.length : dim === tokensDim ? longest : Number(dim),
          );
          return [axes.name, float32(shape, data)] as const;
        }),
      );
    },
  };
}

function axesOf(name: string, shape: Value["shape"]): Axes {
  const at = shape.indexOf(tokensDim);
  const long = at > 0;
  const product = (dims: Value["shape"]) => dims.reduce((all: number, dim) => all * Number(dim), 1);
  return long
    ? { name, shape, long, before: product(shape.slice(1, at)), behind: product(shape.slice(at + 1)) }
    : { name, shape, long, before: 1, behind: product(shape.slice(1)) };
}

/** Where in a row of `size` numbers, padded to a batch's length, its own tokens' numbers lie: begin and length. */
function stretches(
  { before, long, behind }: Axes,
  tokens: number,
  size: number,
): readonly (readonly [number, number])[] {
  if (!long) return [[0, size]];
  const step = size / before;
  return Array.from({ length: before }, (_, i) => [i * step, tokens * behind] as const);
}

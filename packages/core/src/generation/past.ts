import type { AdaptedModel } from "../peft/adapt.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";

/** Keys and values of all tokens so far, as a decoder's graph takes them: [past, 2 · layers, rows, heads, head size]. */
export interface Past {
  tensor(): HostTensor;
  /** Puts those of one or more tokens of every row behind them. */
  append(more: Float32Array): void;
  /** Makes a row of each of the given ones; a row may come several times, or not at all. */
  choose(rows: readonly number[]): void;
}

/** For so many rows, without a token; in memory that doubles when it is full. */
export function emptyPast({ base }: AdaptedModel, rows: number): Past {
  const { layers, keyValueHeads, headSize } = base.model.sizes;
  const row = keyValueHeads * headSize;
  let count = rows;
  let values = new Float32Array(0);
  let used = 0;
  return {
    tensor: () => {
      const tokens = used / (2 * layers * count * row);
      return float32([tokens, 2 * layers, count, keyValueHeads, headSize], values.subarray(0, used));
    },
    append(more) {
      if (used + more.length > values.length) {
        const larger = new Float32Array(Math.max(2 * values.length, used + more.length));
        larger.set(values.subarray(0, used));
        values = larger;
      }
      values.set(more, used);
      used += more.length;
    },
    choose(chosen) {
      if (chosen.length === count && chosen.every((from, to) => from === to)) return;
      const blocks = used / (count * row);
      const moved = new Float32Array(2 * blocks * chosen.length * row);
      for (let block = 0; block < blocks; block++) {
        for (const [to, from] of chosen.entries()) {
          const start = (block * count + from) * row;
          moved.set(values.subarray(start, start + row), (block * chosen.length + to) * row);
        }
      }
      values = moved;
      used = blocks * chosen.length * row;
      count = chosen.length;
    },
  };
}

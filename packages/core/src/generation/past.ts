import { InternalError } from "../errors.ts";
import { cacheNames } from "../nn/cache.ts";
import type { Sizes } from "../nn/model.ts";
import type { Tensors } from "../runtime/session.ts";
import { float32 } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";

/**
 * Keys and values of all tokens so far, as a decoder's graph takes them. They lie in one vector, and another one takes
 * what a run makes of them: both are lent to it and change places, so that nothing is copied but what the graph copies.
 */
export interface Past {
  /** what owns the vector of the inputs, to lend it to a run */
  readonly memory: Lender;
  /** the graph's inputs */
  tensors(): Tensors;
  /** Arrays for the graph's outputs, with so many tokens more. */
  room(tokens: number): Readonly<Record<string, Float32Array>>;
  /** The outputs are the past from now on. */
  take(results: Tensors): void;
  /** Makes a row of each of the given ones; a row may come several times, or not at all. */
  choose(rows: readonly number[]): void;
  /** How many rows and tokens there are. */
  size(): { readonly rows: number; readonly tokens: number };
  /** Takes another's rows behind its own; in front of those with fewer tokens zeros stand, for nobody to look at. */
  join(other: Past): void;
  /** Forgets so many tokens in front of all rows. */
  forget(tokens: number): void;
}

/** For so many rows, without a token. */
export function emptyPast({ layers, keyValueHeads, headSize }: Sizes, rows: number): Past {
  const names = Array.from({ length: layers }, (_, layer) => cacheNames(layer));
  const [inputs, outputs] = [names.flatMap(({ past }) => past), names.flatMap(({ present }) => present)];
  let [count, tokens, added] = [rows, 0, 0];
  const memory: Lender = { values: new Float32Array(0) };
  let spare: Float32Array = new Float32Array(0);
  const blockSize = (length: number) => keyValueHeads * length * headSize; // a row of one tensor
  const makeRoom = (length: number) => {
    const needed = outputs.length * length;
    if (spare.length < needed) spare = new Float32Array(needed + Math.ceil(needed / 2)); // room for some steps more
  };
  return {
    memory,
    tensors() {
      const size = count * blockSize(tokens);
      const shape = [count, keyValueHeads, tokens, headSize];
      return Object.fromEntries(
        inputs.map((name, i) => [name, float32(shape, memory.values.subarray(i * size, (i + 1) * size))]),
      );
    },
    room(more) {
      added = more;
      const size = count * blockSize(tokens + more);
      makeRoom(size);
      return Object.fromEntries(outputs.map((name, i) => [name, spare.subarray(i * size, (i + 1) * size)]));
    },
    take(results) {
      [memory.values, spare] = [memoryOf(results, outputs[0]), memory.values];
      tokens += added;
    },
    choose(chosen) {
      if (chosen.length === count && chosen.every((from, to) => from === to)) return;
      const block = blockSize(tokens);
      makeRoom(chosen.length * block);
      for (let tensor = 0; tensor < outputs.length; tensor++) {
        for (const [to, from] of chosen.entries()) {
          const start = (tensor * count + from) * block;
          spare.set(memory.values.subarray(start, start + block), (tensor * chosen.length + to) * block);
        }
      }
      [memory.values, spare] = [spare, memory.values];
      count = chosen.length;
    },
    size: () => ({ rows: count, tokens }),
    join(other) {
      const more = other.size();
      const longest = Math.max(tokens, more.tokens);
      const joined = placed(
        [
          { values: memory.values, rows: count, tokens },
          { values: other.memory.values, ...more },
        ],
        longest,
      );
      [memory.values, spare, count, tokens] = [joined, memory.values, count + more.rows, longest];
    },
    forget(front) {
      const kept = placed([{ values: memory.values, rows: count, tokens }], tokens - front);
      [memory.values, spare, tokens] = [kept, memory.values, tokens - front];
    },
  };
  /** Rows of several, one behind the other, each with its last tokens, or all and zeros in front. */
  function placed(parts: readonly Part[], length: number): Float32Array {
    const allRows = parts.reduce((sum, part) => sum + part.rows, 0);
    const result = new Float32Array(outputs.length * allRows * blockSize(length));
    for (let tensor = 0; tensor < outputs.length; tensor++) {
      let row = 0;
      for (const part of parts) {
        const [from, to] = [part.tokens * headSize, length * headSize];
        const kept = Math.min(from, to);
        for (let block = 0; block < part.rows * keyValueHeads; block++) {
          const start = tensor * part.rows * blockSize(part.tokens) + block * from;
          const target = (tensor * allRows + row) * blockSize(length) + block * to;
          result.set(part.values.subarray(start + from - kept, start + from), target + to - kept);
        }
        row += part.rows;
      }
    }
    return result;
  }
}

interface Part {
  readonly values: Float32Array;
  readonly rows: number;
  readonly tokens: number;
}

/** All of the array that a tensor lies in. */
function memoryOf(results: Tensors, name: string | undefined): Float32Array {
  const tensor = results[name ?? ""];
  if (tensor?.dtype !== "float32") throw new InternalError(`"${name}" was lent and is not there`);
  return new Float32Array(tensor.data.buffer);
}

import { InternalError } from "../errors.ts";
import { philox } from "./philox.ts";
import { cosineOfTurn, logarithm, sineOfTurn } from "./portable-math.ts";

/** A stream of random numbers; each call takes the next ones. */
export interface Random {
  /** An integer 0 <= n < 2^32. */
  uint32(): number;
  /** 0 <= u < 1, a multiple of 2^-32. */
  uniform(): number;
  /** Mean 0, variance 1, |z| < 6.8 (Box and Muller 1958: z = √(-2 ln u) cos 2πv, then the same with sin). */
  normal(): number;
  /** An integer 0 <= i < n, every one equally likely; 0 < n <= 2^32. */
  integer(n: number): number;
  /** A new array of the same elements, every order equally likely (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** The numbers 0 to count - 1 as `shuffle` puts them: places of many rows, in four bytes each. */
  order(count: number): Uint32Array;
  /** Fills with low + (high - low) u, u a multiple of 2^-24 in [0, 1): float32 holds 0 <= u < 1 without rounding. */
  fillUniform(out: Float32Array, low: number, high: number): void;
  /** Fills with mean + std · normal(). */
  fillNormal(out: Float32Array, mean: number, std: number): void;
}

/**
 * The random numbers of one purpose at one step of a run with a seed: a pure function of the three, so Node and
 * browser agree, a resumed run goes on where it was, and what one purpose draws never shifts another's numbers.
 * Philox's key is the seed; its counter is (block, step, 64 bits that digest the purpose).
 *
 * @param seed a safe integer >= 0
 * @param purpose what the numbers are for, for example "dropout"
 * @param step an integer 0 <= step < 2^32
 */
export function random(seed: number, purpose: string, step = 0): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new InternalError(`seed ${seed} is no safe integer >= 0`);
  if (!Number.isInteger(step) || step < 0 || step > 0xffffffff)
    throw new InternalError(`step ${step} is not in [0, 2^32)`);
  const uint32 = words(seed, purpose, step);
  const uniform = () => uint32() * 2 ** -32;
  const normal = normals(uint32);
  const integer = (n: number) => integerBelow(uint32, n);
  return {
    uint32,
    uniform,
    normal,
    integer,
    shuffle(items) {
      const order = [...items];
      shuffleInPlace(integer, order);
      return order;
    },
    order(count) {
      const order = new Uint32Array(count).map((_, place) => place);
      shuffleInPlace(integer, order);
      return order;
    },
    fillUniform(out, low, high) {
      const width = (high - low) * 2 ** -24;
      for (let i = 0; i < out.length; i++) out[i] = low + width * (uint32() >>> 8);
    },
    fillNormal(out, mean, std) {
      for (let i = 0; i < out.length; i++) out[i] = mean + std * normal();
    },
  };
}

/** The stream's 32-bit words in order, four to a block. */
function words(seed: number, purpose: string, step: number): () => number {
  const [digest0, digest1] = digestOf(purpose);
  const [key0, key1] = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
  const buffer = new Uint32Array(4);
  let block = 0;
  let next = 4;
  return () => {
    if (next === 4) {
      if (block > 0xffffffff) throw new InternalError(`more than 2^34 numbers drawn for "${purpose}" at step ${step}`);
      philox(buffer, block, step, digest0, digest1, key0, key1);
      block += 1;
      next = 0;
    }
    return buffer[next++]!;
  };
}

/** 64 bits of the text: its UTF-16 units, four at a time, are xored into a state that Philox mixes (CBC-MAC). */
function digestOf(purpose: string): [number, number] {
  const state = new Uint32Array(4);
  for (let at = 0; at < purpose.length; at += 4) {
    for (let i = 0; i < 4 && at + i < purpose.length; i++) state[i]! ^= purpose.charCodeAt(at + i);
    philox(state, state[0]!, state[1]!, state[2]!, state[3]!, purpose.length, at);
  }
  return [state[0]!, state[1]!];
}

function normals(uint32: () => number): () => number {
  const spare = new Float64Array(1); // a typed array keeps the number unboxed
  let hasSpare = false;
  return () => {
    hasSpare = !hasSpare;
    if (!hasSpare) return spare[0]!;
    // -2 ln u for u = (word + 1/2) / 2^32, which is never 0 and never 1
    const radius = Math.sqrt(2 * (33 * Math.LN2 - logarithm(2 * uint32() + 1)));
    const turn = uint32();
    spare[0] = radius * sineOfTurn(turn);
    return radius * cosineOfTurn(turn);
  };
}

/** Words from the last, incomplete run of n are drawn again, so that no remainder is favoured. */
function integerBelow(uint32: () => number, n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) throw new InternalError(`no integer lies below ${n} in [1, 2^32]`);
  const fair = 2 ** 32 - (2 ** 32 % n);
  let word = uint32();
  while (word >= fair) word = uint32();
  return word % n;
}

function shuffleInPlace<T>(
  integer: (n: number) => number,
  order: { readonly length: number; [place: number]: T },
): void {
  for (let last = order.length - 1; last > 0; last--) {
    const other = integer(last + 1);
    const moved = order[last]!;
    order[last] = order[other]!;
    order[other] = moved;
  }
}

import { InternalError } from "../errors.ts";
import { sizeOf } from "../tensor/host-tensor.ts";

/** float32 numbers on the engine's side, which stay there between runs: what one leaves the next ones read. */
export interface HeldNumbers {
  readonly length: number;
  /** Copies numbers of held or shared ones of the same engine; what is copied and where it goes do not overlap. */
  copy(sources: readonly HeldSource[]): Promise<void>;
  /** Gives the memory back; nothing can be read of it afterwards. */
  release(): Promise<void>;
}

/**
 * float32 numbers that the host writes and held ones copy from: on their way to an engine in another thread no message
 * carries them. They are not written while they are copied.
 */
export interface SharedNumbers {
  readonly values: Float32Array;
}

/** What is copied, and where it is to go. */
export interface HeldSource {
  readonly from: HeldNumbers | SharedNumbers;
  readonly moves: readonly HeldMove[];
}

/** Pieces of as many numbers each, which stand at equal distances before and behind. */
export interface HeldMove {
  readonly pieces: number;
  readonly length: number;
  readonly from: Places;
  readonly to: Places;
}

/** Where the first piece begins, and how far behind it the next one. */
interface Places {
  readonly start: number;
  readonly step: number;
}

/** A float32 tensor that lies in held numbers, row-major. */
export interface HeldTensor {
  readonly held: HeldNumbers;
  readonly start: number;
  readonly shape: readonly number[];
}

/** Memory of an engine that computes in the thread that calls it. */
export interface HeldMemory {
  hold(numbers: number | Float32Array): Promise<HeldNumbers>;
  share(length: number): SharedNumbers;
  sees(values: Float32Array): boolean;
  /** The numbers of a tensor, where they lie. */
  numbersOf(tensor: HeldTensor): Float32Array;
}

export function heldMemory(): HeldMemory {
  const memories = new Map<HeldNumbers, Float32Array>();
  const valuesOf = (held: HeldNumbers): Float32Array => {
    const values = memories.get(held);
    if (!values) throw new InternalError("held numbers that were given back, or are another engine's, cannot be read");
    return values;
  };
  return {
    async hold(numbers) {
      const values = typeof numbers === "number" ? new Float32Array(numbers) : numbers;
      const held: HeldNumbers = {
        length: values.length,
        async copy(sources) {
          const target = valuesOf(held);
          const parts = sources.map(
            ({ from, moves }) => ["values" in from ? from.values : valuesOf(from), moves] as const,
          );
          for (const [source, moves] of parts) for (const move of moves) carryOut(move, source, target);
        },
        async release() {
          memories.delete(held);
        },
      };
      memories.set(held, values);
      return held;
    },
    share: (length) => ({ values: new Float32Array(length) }),
    sees: () => true,
    numbersOf: ({ held, start, shape }) => valuesOf(held).subarray(start, start + sizeOf(shape)),
  };
}

function carryOut({ pieces, length, from, to }: HeldMove, source: Float32Array, target: Float32Array): void {
  const gapless = from.step === length && to.step === length;
  const [count, size] = gapless ? [1, pieces * length] : [pieces, length];
  for (let piece = 0; piece < count; piece++) {
    const start = from.start + piece * from.step;
    target.set(source.subarray(start, start + size), to.start + piece * to.step);
  }
}

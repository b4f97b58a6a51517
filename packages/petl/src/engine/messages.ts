import type { DeviceName, EncodedGraph, HeldTensor, Tensors } from "@petl/core/engine";

/** What a worker needs to open its engine. */
interface EngineSetup {
  readonly folder: string | undefined;
  readonly files: readonly string[];
  readonly threads: number | undefined;
  readonly device: DeviceName | undefined;
}

/** What the main thread asks for. */
export type EngineRequest =
  | { readonly kind: "open"; readonly setup: EngineSetup }
  | { readonly kind: "create"; readonly graph: EncodedGraph }
  | {
      readonly kind: "run";
      readonly session: number;
      readonly inputs: Packed;
      /** the lenders' vectors and the inputs that lie in them; their buffers are transferred and come back */
      readonly lent: Lent;
      /** arrays that outputs are written into, by their names; their buffers are transferred and come back */
      readonly into: Readonly<Record<string, Float32Array>>;
      /** inputs that the worker holds, and places there for outputs */
      readonly held: { readonly inputs: HeldTensors; readonly into: HeldTensors };
    }
  | { readonly kind: "release"; readonly session: number }
  /** so many zeros, or numbers whose buffer is transferred */
  | { readonly kind: "hold"; readonly numbers: number | Float32Array }
  | { readonly kind: "copy"; readonly to: number; readonly sources: readonly SentSource[] }
  | { readonly kind: "drop"; readonly held: number }
  /** has no answer but the thread's end */
  | { readonly kind: "close" };

/** What the worker answers. */
export type EngineAnswer =
  | { readonly kind: "opened"; readonly names: ReadonlyMap<string, string> }
  | { readonly kind: "created"; readonly session: number }
  /** well or not, with the buffer of the inputs, for the next ones, and with the lenders' vectors in their order */
  | {
      readonly kind: "ran";
      readonly result: { readonly outputs: Tensors } | { readonly error: SentError };
      readonly buffer: ArrayBuffer;
      readonly vectors: readonly Float32Array[];
    }
  | { readonly kind: "released" }
  | { readonly kind: "holding"; readonly held: number }
  | { readonly kind: "copied" }
  | { readonly kind: "dropped" }
  | { readonly kind: "failed"; readonly error: SentError };

/** What the worker holds, or numbers in memory that both threads have, and the packed moves. */
export interface SentSource {
  readonly from: number | Float32Array;
  readonly moves: Float64Array;
}

/** Tensors in vectors of the main thread whose memory the worker has for one run. */
export interface Lent {
  readonly vectors: readonly Float32Array[];
  readonly tensors: Tensors;
}

/** Tensors by name in what the worker holds, which has numbers. */
export type HeldTensors = Readonly<Record<string, Pick<HeldTensor, "start" | "shape"> & { readonly held: number }>>;

/** Requests are numbered; an answer bears its request's number. */
export interface Numbered<T> {
  readonly id: number;
  readonly message: T;
}

/** Tensors whose bytes lie side by side in one buffer that belongs to the message alone. */
export interface Packed {
  readonly buffer: ArrayBuffer;
  readonly tensors: readonly PackedTensor[];
}
interface PackedTensor {
  readonly name: string;
  readonly dtype: SentType;
  readonly shape: readonly number[];
  /** where its bytes begin, and how many elements it has */
  readonly offset: number;
  readonly length: number;
}

/** The element types that cross between threads, which are those that cross the engine's border. */
export const sentTypes = ["float32", "float64", "int64", "int32", "bool"] as const;
export type SentType = (typeof sentTypes)[number];

/** An error as another thread can make it again. */
export interface SentError {
  readonly name: string;
  readonly problems: readonly string[];
  readonly stack: string | undefined;
}

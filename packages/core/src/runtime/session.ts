import type { EncodedGraph } from "../onnx/encode.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { Activations } from "./activations.ts";
import type { DeviceName } from "./devices.ts";
import type { HeldNumbers, HeldTensor, SharedNumbers } from "./held.ts";

export type Tensors = Readonly<Record<string, HostTensor>>;
/** What a run reads: tensors of the host, and such as the engine holds. */
export type Fed = Readonly<Record<string, HostTensor | HeldTensor>>;
/** Where a run writes outputs of fixed sizes: arrays of the host, and places that the engine holds. */
export type RunTargets = Readonly<Record<string, Float32Array | HeldTensor>>;

/** What a host supplies: ONNX Runtime in this thread, in a worker, native or wasm. */
export interface Engine {
  /** what its sessions compute on; the processor where left out */
  readonly device?: DeviceName | undefined;
  /** what its products with weights in few bits multiply; float32 where left out */
  readonly activations?: Activations | undefined;
  /** The name under which a session finds a file of the checkpoint; links are resolved. */
  fileName(file: string): string;
  /** Makes a session of a model whose frozen tensors lie in the checkpoint's own files. */
  createSession(graph: EncodedGraph): Promise<Session>;
  /**
   * So many zeros on the engine's side, or the given numbers, for all of its sessions; give them back. The memory of given ones
   * goes there: their array is not used afterwards.
   */
  hold(numbers: number | Float32Array): Promise<HeldNumbers>;
  /** So many zeros that the host writes and what is held copies from, for as long as somebody has them. */
  share(length: number): SharedNumbers;
  /** Whether an array is memory that held numbers can copy from, as a shared one is. */
  sees(values: Float32Array): boolean;
}

export interface Session {
  /**
   * Computes the outputs from the inputs. Arrays in `into` receive the output of their name; their length must be the
   * output's, whatever the batch. They are lent: a host may carry their memory to another thread, so that afterwards only the returned arrays
   * are there, which lie in memory as the lent ones did. Inputs that lie in a lender's vector are lent likewise; the others
   * are copied. What the engine holds stays where it is, and outputs that are written there are not returned.
   */
  run(inputs: Fed, into?: RunTargets, lenders?: readonly Lender[]): Promise<Tensors>;
  /** Gives back everything that the session holds; it cannot run afterwards. */
  release(): Promise<void>;
}

import type { EncodedGraph } from "../onnx/encode.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { Lender } from "../tensor/lender.ts";
import type { DeviceName } from "./devices.ts";

export type Tensors = Readonly<Record<string, HostTensor>>;

/** What a host supplies: ONNX Runtime in this thread, in a worker, native or wasm. */
export interface Engine {
  /** what its sessions compute on; the processor where left out */
  readonly device?: DeviceName | undefined;
  /** The name under which a session finds a file of the checkpoint; links are resolved. */
  fileName(file: string): string;
  /** Makes a session of a model whose frozen tensors lie in the checkpoint's own files. */
  createSession(graph: EncodedGraph): Promise<Session>;
}

export interface Session {
  /**
   * Computes the outputs from the inputs. Arrays in `into` receive the output of their name; their length must be the
   * output's, whatever the batch. They are lent: a host may carry their memory to another thread, so that afterwards only the returned arrays
   * are there, which lie in memory as the lent ones did. Inputs that lie in a lender's vector are lent likewise; the others
   * are copied.
   */
  run(inputs: Tensors, into?: Readonly<Record<string, Float32Array>>, lenders?: readonly Lender[]): Promise<Tensors>;
  /** Gives back everything that the session holds; it cannot run afterwards. */
  release(): Promise<void>;
}

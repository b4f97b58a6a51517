import type { EncodedGraph } from "../onnx/encode.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";

export type Tensors = Readonly<Record<string, HostTensor>>;

/** What a host supplies: ONNX Runtime in this thread, in a worker, native or wasm. */
export interface Engine {
  /** The name under which a session finds a file of the checkpoint; links are resolved. */
  fileName(file: string): string;
  /** Makes a session of a model whose frozen tensors lie in the checkpoint's own files. */
  createSession(graph: EncodedGraph): Promise<Session>;
}

export interface Session {
  /**
   * Computes the outputs from the inputs. Tensors in `into` receive the output of their name, which must have their shape;
   * those in `lent` are inputs too, and come back beside the outputs. The memory of both is lent: a host may carry it to
   * another thread instead of copying, so that afterwards only the returned arrays are there, which lie in memory as the
   * lent ones did.
   */
  run(inputs: Tensors, into?: Tensors, lent?: Tensors): Promise<Tensors>;
  /** Gives back everything that the session holds; it cannot run afterwards. */
  release(): Promise<void>;
}

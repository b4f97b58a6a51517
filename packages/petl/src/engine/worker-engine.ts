import { once } from "node:events";
import { Worker } from "node:worker_threads";
import {
  type Engine,
  type HeldNumbers,
  type HeldTensor,
  InternalError,
  type Session,
  type SharedNumbers,
  type Tensors,
} from "@petl/core/engine";
import { MachineError } from "../machine-error.ts";
import type { EngineAnswer, EngineRequest, HeldTensors, Lent, Numbered } from "./messages.ts";
import type { OrtOptions } from "./ort.ts";
import { distinctBuffers, pack, packMoves } from "./pack.ts";
import { received } from "./sent-error.ts";
import { threadFile } from "./thread-file.ts";
import { addGate, removeGate } from "./work-gate.ts";

/** An engine that must be closed: its thread then ends. */
export interface WorkerEngine extends Engine {
  /**
   * Rejects what still runs and ends the thread, once the run under way is done: a thread that is ended inside of ONNX
   * Runtime takes the process with it. A process that ends without closing waits for that run, a minute at most.
   */
  close(): Promise<void>;
}

/**
 * The native engine in a thread of its own, so that this thread stays free while a session runs (ONNX Runtime blocks the
 * thread that calls it). Arguments as of `nativeEngine`. Inputs are copied once, but for those in lenders' vectors, and
 * outputs come back without a copy; arrays that outputs are to be written into are gone afterwards, and the returned ones
 * have their memory. If the engine is closed, or its thread crashes, during a run, what it was lent is lost.
 * An idle engine does not keep the process alive.
 */
export async function workerEngine(
  folder: string | undefined,
  files: readonly string[],
  { threads, device }: OrtOptions = {},
): Promise<WorkerEngine> {
  process.env.ORT_DISABLE_TELEMETRY ??= "1"; // ONNX Runtime's builds tell their maker of every session unless it is set
  const gate = addGate();
  const worker = new Worker(threadFile(import.meta.url, "engine/engine-worker.js"), { execArgv: [], workerData: gate });
  worker.on("error", () => removeGate(gate));
  worker.on("exit", () => removeGate(gate));
  const connection = connect(worker);
  try {
    return await openEngine(connection, { folder, files, threads, device });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function openEngine(
  { ask, close }: Connection,
  setup: Extract<EngineRequest, { kind: "open" }>["setup"],
): Promise<WorkerEngine> {
  const { names } = await ask({ kind: "open", setup }, "opened");
  const carrier: Carrier = { spare: undefined };
  const memories = new Map<HeldNumbers, number>();
  return {
    close,
    device: setup.device,
    fileName: (file) => names.get(file) ?? file,
    async createSession(graph): Promise<Session> {
      const { session } = await ask({ kind: "create", graph }, "created");
      return sessionIn(ask, session, carrier, memories);
    },
    hold: (numbers) => holdIn(ask, numbers, memories),
    share: shareBetweenThreads,
    sees: isShared,
  };
}

/**
 * The buffer that carries inputs to the worker and comes back with the outputs, one for all sessions: fresh memory for
 * all of Φ would take longer than copying it, and sessions seldom run at once.
 */
interface Carrier {
  spare: ArrayBuffer | undefined;
}

/** What the worker holds, by the numbers that it has there. */
type Memories = Map<HeldNumbers, number>;

async function holdIn(
  ask: Connection["ask"],
  numbers: number | Float32Array,
  memories: Memories,
): Promise<HeldNumbers> {
  const [length, given] = typeof numbers === "number" ? [numbers, []] : [numbers.length, [numbers]];
  const { held: number } = await ask({ kind: "hold", numbers }, "holding", distinctBuffers(given));
  const held: HeldNumbers = {
    length,
    async copy(sources) {
      const sent = sources.map(({ from, moves }) => ({
        from: "values" in from ? from.values : numberOf(from, memories),
        moves: packMoves(moves),
      }));
      await ask({ kind: "copy", to: numberOf(held, memories), sources: sent }, "copied");
    },
    async release() {
      if (!memories.delete(held)) return;
      await ask({ kind: "drop", held: number }, "dropped");
    },
  };
  memories.set(held, number);
  return held;
}

/** Memory that both threads have. What travels there and back is new to V8 each time; 10 MB of it make it look through its whole heap. */
const shareBetweenThreads = (length: number): SharedNumbers => ({
  values: new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT)),
});

const isShared = ({ buffer }: Float32Array): boolean => buffer instanceof SharedArrayBuffer;

function numberOf(held: HeldNumbers, memories: Memories): number {
  const number = memories.get(held);
  if (number === undefined)
    throw new InternalError("held numbers that were given back, or are another engine's, cannot be read");
  return number;
}

/** A session of the worker. Arrays that are lent, for inputs or outputs, go there and come back, without a copy. */
function sessionIn(ask: Connection["ask"], session: number, carrier: Carrier, memories: Memories): Session {
  return {
    async run(inputs, targets = {}, lenders = []) {
      const [fed, into] = [heldApart(inputs, memories), heldApart(targets, memories)];
      const lending = lenders.filter(({ values }) => !isShared(values)); // ONNX Runtime refuses arrays in shared memory
      const [lent, own] = parted(
        fed.others,
        lending.map(({ values }) => values),
      );
      const packed = pack(own, carrier.spare);
      carrier.spare = undefined;
      const transfer = [packed.buffer, ...distinctBuffers([...Object.values(into.others), ...lent.vectors])];
      const held = { inputs: fed.held, into: into.held };
      const { result, buffer, vectors } = await ask(
        { kind: "run", session, inputs: packed, lent, into: into.others, held },
        "ran",
        transfer,
      );
      carrier.spare = buffer;
      for (const [at, lender] of lending.entries()) lender.values = vectors[at] ?? lender.values;
      if ("error" in result) throw received(result.error);
      return result.outputs;
    },
    async release() {
      await ask({ kind: "release", session }, "released");
    },
  };
}

/** What the worker holds, and all else. */
function heldApart<T extends object>(
  all: Readonly<Record<string, T | HeldTensor>>,
  memories: Memories,
): { readonly held: HeldTensors; readonly others: Readonly<Record<string, T>> } {
  const held: Record<string, HeldTensors[string]> = {};
  const others: Record<string, T> = {};
  for (const [name, each] of Object.entries(all)) {
    if ("held" in each) held[name] = { ...each, held: numberOf(each.held, memories) };
    else others[name] = each;
  }
  return { held, others };
}

/** The tensors that lie in vectors, and all others. */
function parted(tensors: Tensors, vectors: readonly Float32Array[]): readonly [Lent, Tensors] {
  const buffers = new Set<ArrayBufferLike>(vectors.map(({ buffer }) => buffer));
  const part = (wanted: boolean) =>
    Object.fromEntries(Object.entries(tensors).filter(([, { data }]) => buffers.has(data.buffer) === wanted));
  return [{ vectors, tensors: part(true) }, part(false)];
}

/** A numbered conversation with a worker. */
interface Connection {
  /** Sends a request and waits for its answer, which must be of the given kind. Errors come as they were thrown. */
  ask<K extends EngineAnswer["kind"]>(
    message: EngineRequest,
    expected: K,
    transfer?: readonly ArrayBuffer[],
  ): Promise<Extract<EngineAnswer, { kind: K }>>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(answer: EngineAnswer): void;
  reject(error: unknown): void;
}

/** Talks to a worker. If it ends, whatever waits for an answer is rejected, and so is all that is asked later. */
export function connect(worker: Worker): Connection {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let ended: Error | undefined;
  const settle = (id: number): Waiting | undefined => {
    const call = waiting.get(id); // none where the connection was closed before the answer came
    if (waiting.delete(id) && waiting.size === 0) worker.unref();
    return call;
  };
  const end = (error: Error) => {
    ended ??= error;
    for (const id of [...waiting.keys()]) settle(id)?.reject(ended);
  };
  worker.unref();
  worker.on("message", ({ id, message }: Numbered<EngineAnswer>) => settle(id)?.resolve(message));
  worker.on("error", (cause: Error) =>
    end(new MachineError(`the thread that computes stopped: ${cause.message}`, { cause })),
  );
  worker.on("exit", (code) => end(new MachineError(`the thread that computes stopped with exit code ${code}`)));
  return {
    async ask(message, expected, transfer = []) {
      if (ended) throw ended;
      const id = ++last;
      const answer = await new Promise<EngineAnswer>((resolve, reject) => {
        worker.postMessage({ id, message }, transfer);
        waiting.set(id, { resolve, reject });
        worker.ref();
      });
      if (answer.kind === "failed") throw received(answer.error);
      if (!isKind(answer, expected))
        throw new InternalError(`the worker answered "${answer.kind}" to "${message.kind}"`);
      return answer;
    },
    async close() {
      if (ended) return;
      end(new InternalError("the engine is closed"));
      const exit = once(worker, "exit");
      worker.ref();
      worker.postMessage({ id: 0, message: { kind: "close" } satisfies EngineRequest });
      await exit;
    },
  };
}

function isKind<K extends EngineAnswer["kind"]>(
  answer: EngineAnswer,
  kind: K,
): answer is Extract<EngineAnswer, { kind: K }> {
  return answer.kind === kind;
}

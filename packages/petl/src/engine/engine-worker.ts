import { parentPort, workerData } from "node:worker_threads";
import { type Engine, type HeldNumbers, type HeldTensor, InternalError, type Session } from "@petl/core/engine";
import type { EngineAnswer, EngineRequest, HeldTensors, Numbered } from "./messages.ts";
import { nativeEngine } from "./ort.ts";
import { distinctBuffers, unpack, unpackMoves } from "./pack.ts";
import { sendable } from "./sent-error.ts";
import { endWork, type WorkGate, whileOpen } from "./work-gate.ts";

/** A worker thread's side of {@link workerEngine}: a native engine that answers one request after the other. */
const sessions = new Map<number, Session>();
const memories = new Map<number, HeldNumbers>();
let engine: Engine | undefined;
let [lastSession, lastHeld] = [0, 0];

async function answer(request: Exclude<EngineRequest, { kind: "close" }>): Promise<EngineAnswer> {
  switch (request.kind) {
    case "open": {
      const { folder, files, ...how } = request.setup;
      const opened = await nativeEngine(folder, files, how);
      engine = opened;
      return { kind: "opened", names: new Map(files.map((file) => [file, opened.fileName(file)])) };
    }
    case "create": {
      const session = ++lastSession;
      sessions.set(session, await engineThere().createSession(request.graph));
      return { kind: "created", session };
    }
    case "run": {
      const { session, inputs, lent, into, held } = request;
      const ran = async () =>
        sessionOf(session).run(
          { ...unpack(inputs), ...lent.tensors, ...tensorsIn(held.inputs) },
          { ...into, ...tensorsIn(held.into) },
        );
      const result = await ran().then(
        (outputs) => ({ outputs }),
        (error: unknown) => ({ error: sendable(error) }),
      );
      return { kind: "ran", result, buffer: inputs.buffer, vectors: lent.vectors };
    }
    case "release": {
      await sessionOf(request.session).release();
      sessions.delete(request.session);
      return { kind: "released" };
    }
    case "hold": {
      const held = ++lastHeld;
      memories.set(held, await engineThere().hold(request.numbers));
      return { kind: "holding", held };
    }
    case "copy": {
      const { to, sources } = request;
      const unpacked = sources.map(({ from, moves }) => ({
        from: typeof from === "number" ? memoryOf(from) : { values: from },
        moves: unpackMoves(moves),
      }));
      await memoryOf(to).copy(unpacked);
      return { kind: "copied" };
    }
    case "drop": {
      await memoryOf(request.held).release();
      memories.delete(request.held);
      return { kind: "dropped" };
    }
  }
}

function engineThere(): Engine {
  if (!engine) throw new InternalError("the worker's engine is not open");
  return engine;
}

function memoryOf(number: number): HeldNumbers {
  const held = memories.get(number);
  if (!held) throw new InternalError("held numbers were given back and cannot be read");
  return held;
}

const tensorsIn = (tensors: HeldTensors): Readonly<Record<string, HeldTensor>> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, held: memoryOf(tensor.held) }]),
  );

function sessionOf(number: number): Session {
  const session = sessions.get(number);
  if (!session) throw new InternalError("the session was released and cannot run");
  return session;
}

/** Without its port the thread has nothing left to do, and ends. */
async function close(): Promise<void> {
  for (const session of sessions.values()) await session.release();
  parentPort?.close();
}

async function respond({ id, message }: Numbered<EngineRequest>): Promise<void> {
  if (message.kind === "close") return close();
  const reply = await answer(message).catch((error): EngineAnswer => ({ kind: "failed", error: sendable(error) }));
  parentPort?.postMessage({ id, message: reply }, transferOf(reply));
}

const gate: WorkGate = workerData;
let queue = Promise.resolve();
parentPort?.on("message", (request: Numbered<EngineRequest>) => {
  queue = queue.then(() => whileOpen(gate, () => respond(request)));
});
endWork(gate); // ONNX Runtime is loaded

function transferOf(reply: EngineAnswer): ArrayBuffer[] {
  if (reply.kind !== "ran") return [];
  const { result, buffer, vectors } = reply;
  const outputs = "outputs" in result ? Object.values(result.outputs).map(({ data }) => data) : [];
  return [...distinctBuffers([...outputs, ...vectors]), buffer];
}

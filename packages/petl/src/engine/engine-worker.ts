import { parentPort, workerData } from "node:worker_threads";
import { type Engine, InternalError, type Session } from "@petl/core/engine";
import type { EngineAnswer, EngineRequest, Numbered } from "./messages.ts";
import { nativeEngine } from "./ort.ts";
import { distinctBuffers, unpack } from "./pack.ts";
import { sendable } from "./sent-error.ts";
import { endWork, type WorkGate, whileOpen } from "./work-gate.ts";

/** A worker thread's side of {@link workerEngine}: a native engine that answers one request after the other. */
const sessions = new Map<number, Session>();
let engine: Engine | undefined;
let lastSession = 0;

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
      if (!engine) throw new InternalError("the worker's engine is not open");
      sessions.set(session, await engine.createSession(request.graph));
      return { kind: "created", session };
    }
    case "run": {
      const { session, inputs, lent, into } = request;
      const ran = async () => sessionOf(session).run({ ...unpack(inputs), ...lent.tensors }, into);
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
  }
}

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

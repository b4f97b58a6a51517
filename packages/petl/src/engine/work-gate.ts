/**
 * What a thread that computes and the process that it belongs to tell one another where no message is read any more: whether
 * the thread is at work, and whether the process ends. A thread that is ended inside of ONNX Runtime takes the process with
 * it, exit code and last words too, so a process that ends waits for the work under way.
 */
export type WorkGate = Int32Array<SharedArrayBuffer>;

const [working, ending] = [0, 1];

/** Milliseconds after which a process no longer waits for work that does not end. */
const patience = 60_000;

const gates = new Set<WorkGate>();

/** The gate of a thread that is at work, until it has loaded what it computes with; the process minds it until `removeGate`. */
export function addGate(): WorkGate {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  gate[working] = 1;
  if (gates.size === 0) process.on("exit", closeGates);
  gates.add(gate);
  return gate;
}

/** For a thread that has ended. */
export function removeGate(gate: WorkGate): void {
  gates.delete(gate);
  if (gates.size === 0) process.off("exit", closeGates);
}

function closeGates(): void {
  for (const gate of gates) Atomics.store(gate, ending, 1);
  for (const gate of gates) Atomics.wait(gate, working, 1, patience);
}

/** Does a piece of work in the thread; once the process ends, none begins. */
export async function whileOpen(gate: WorkGate, work: () => Promise<void>): Promise<void> {
  Atomics.store(gate, working, 1); // said first: whoever ends the process asks in the other order
  try {
    if (Atomics.load(gate, ending) === 0) await work();
  } finally {
    endWork(gate);
  }
}

/** Says that the thread is at work no longer. */
export function endWork(gate: WorkGate): void {
  Atomics.store(gate, working, 0);
  Atomics.notify(gate, working);
}

import { InputError, InternalError } from "@petl/core/engine";
import { MachineError } from "../machine-error.ts";
import type { SentError } from "./messages.ts";

/** How ONNX Runtime and C++ say that there is no memory left. */
const outOfMemory = /bad_alloc|bad allocation|failed to allocate memory|out of memory/i;

/** What of an error crosses between threads: its class, its lines, and where it arose. */
export function sendable(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: "Error", problems: [String(error)], stack: undefined };
  if (outOfMemory.test(error.message)) {
    const problem = `the machine's memory is too small for this; try a smaller \`batch\` (${error.message.split("\n")[0]})`;
    return { name: "MachineError", problems: [problem], stack: error.stack };
  }
  const problems = error instanceof InputError ? error.problems : [error.message];
  return { name: error.name, problems, stack: error.stack };
}

/** The same error in this thread. */
export function received({ name, problems, stack }: SentError): Error {
  const error = remade(name, problems);
  if (stack !== undefined) error.stack = stack;
  return error;
}

function remade(name: string, problems: readonly string[]): Error {
  const message = problems.join("\n");
  if (name === "InputError") return new InputError(problems);
  if (name === "MachineError") return new MachineError(message);
  if (name === "InternalError") return new InternalError(message);
  return new Error(message);
}

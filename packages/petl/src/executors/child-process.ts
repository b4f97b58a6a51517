import { type ChildProcess, spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

const built = import.meta.url.endsWith(".ts") ? "../../dist/" : "../";
const endWithParent = new URL(`${built}executors/end-with-parent.js`, import.meta.url).href;

/** A file of the build, by its place there. */
export const builtFile = (place: string): string => fileURLToPath(new URL(`${built}${place}`, import.meta.url));

/**
 * Starts Node with arguments, behind this process in the machine's favour, so that beats and answers never stall. However
 * this process ends, the child is told to end as Ctrl-C tells it.
 */
export function startChild(
  args: readonly string[],
  { folder, errors }: { readonly folder?: string; readonly errors: "pipe" | "inherit" },
): ChildProcess {
  const child = spawn(process.execPath, ["--import", endWithParent, ...args], {
    stdio: ["ignore", "ignore", errors, "ipc"],
    env: { ...process.env, NO_COLOR: "1" },
    ...(folder !== undefined && { cwd: folder }),
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // a system that allows no other priority
  }
  return child;
}

/** Ends a child as Ctrl-C does, and at once where that takes longer than so many milliseconds. */
export function endGently(child: ChildProcess, milliseconds: number): void {
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  child.once("exit", () => clearTimeout(timer));
}

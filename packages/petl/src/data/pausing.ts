import { type Pause, type StopSignal, throwIfStopped } from "@petl/core";

/**
 * Lets the process hear what it is told in the middle of long work, and ends the work where a signal says so.
 * @param onDone told how many rows are done
 */
export const pausing =
  (signal: StopSignal | undefined, onDone?: (done: number) => void): Pause =>
  async (done) => {
    onDone?.(done);
    await new Promise((resolve) => setImmediate(resolve));
    throwIfStopped(signal);
  };

import { type StopSignal, throwIfStopped } from "../training/stop-signal.ts";

/** Things that come by themselves, for one who waits for them in their order. */
export interface Arrivals<T> {
  put(thing: T): void;
  fail(error: unknown): void;
  /** The next one. @throws the signal's reason where it is aborted, else what failed */
  next(signal: StopSignal | undefined): Promise<T>;
  /** Nobody waits any more. */
  close(): void;
  closed(): boolean;
}

export function arrivals<T>(): Arrivals<T> {
  const things: T[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  let over = false;
  const woken = () => {
    wake?.();
    wake = undefined;
  };
  return {
    put(thing) {
      things.push(thing);
      woken();
    },
    fail(error) {
      failure ??= { error };
      woken();
    },
    async next(signal) {
      for (;;) {
        throwIfStopped(signal);
        const thing = things.shift();
        if (thing !== undefined) return thing;
        if (failure) throw failure.error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close() {
      over = true;
    },
    closed: () => over,
  };
}

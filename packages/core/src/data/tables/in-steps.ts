/** Work in steps: each yields how much is done, in rows where the work says nothing else. */
export type Steps<T> = Generator<number, T>;

/** Awaited now and then in long work, with what is done of it; what it throws ends the work. */
export type Pause = (done: number) => Promise<void>;

/** Rows between two steps. */
export const rowsInStep = 128;

/** The whole work at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The whole work, with a pause behind each step, in which a host hears what it is told. */
export async function inSteps<T>(steps: Steps<T>, pause: Pause | undefined): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await pause?.(value);
  }
}

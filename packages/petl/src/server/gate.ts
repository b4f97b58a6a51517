import { HttpError } from "./http-error.ts";

/** Lets so much work in at once, and sends the rest away before it waits. */
export interface Gate {
  /**
   * Work of a size while there is room for it; what is larger than the gate has it for itself.
   * @throws HttpError 429 that says when to come again
   */
  through<T>(size: number, work: () => Promise<T>): Promise<T>;
  /** The same for work that ends later: call what is returned. */
  enter(size: number): () => void;
  readonly inside: () => number;
}

/** The longest that a refused request is told to wait, in seconds. */
const longestWait = 30;

export function openGate(capacity: number): Gate {
  let inside = 0;
  let secondsEach = 0.01; // of a unit of work, as it was lately
  const enter = (size: number) => {
    const taken = Math.min(Math.max(size, 1), capacity);
    if (inside + taken > capacity) {
      const seconds = Math.min(longestWait, Math.max(1, Math.ceil(inside * secondsEach)));
      throw new HttpError(429, "the server is full; try again later", {
        code: "server_full",
        headers: { "retry-after": String(seconds) },
      });
    }
    inside += taken;
    const [begin, before] = [performance.now(), inside];
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inside -= taken;
      secondsEach = 0.9 * secondsEach + (0.1 * (performance.now() - begin)) / 1000 / before;
    };
  };
  return {
    enter,
    async through(size, work) {
      const leave = enter(size);
      try {
        return await work();
      } finally {
        leave();
      }
    },
    inside: () => inside,
  };
}

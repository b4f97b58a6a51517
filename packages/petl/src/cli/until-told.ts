/** Why a verb that works until it is told otherwise is to end: SIGTERM is how it ordinarily ends, Ctrl-C breaks it off. */
export function untilTold(signal: AbortSignal): Promise<"SIGTERM" | "interrupted"> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve("SIGTERM"));
    signal.addEventListener("abort", () => setImmediate(() => resolve("interrupted")), { once: true });
  });
}

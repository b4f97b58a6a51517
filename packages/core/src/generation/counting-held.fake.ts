import type { HeldNumbers } from "../runtime/held.ts";
import type { Engine } from "../runtime/session.ts";

/** An engine of which a test sees how much it holds, and that can be made to fail. */
export function countingHeld<E extends Pick<Engine, "hold">>(engine: E) {
  const held = new Set<HeldNumbers>();
  const failing = new Map<"hold" | "copy", number>();
  const failWhere = (what: "hold" | "copy") => {
    const left = failing.get(what);
    if (left === undefined) return;
    failing.set(what, left - 1);
    if (left > 0) return;
    failing.delete(what);
    throw new Error(`no ${what}`);
  };
  const counted: E = {
    ...engine,
    async hold(numbers) {
      failWhere("hold");
      const one = await engine.hold(numbers);
      const { copy, release } = one;
      held.add(one);
      return Object.assign(one, {
        async copy(...asked: Parameters<HeldNumbers["copy"]>) {
          failWhere("copy");
          return copy(...asked);
        },
        async release() {
          held.delete(one);
          return release();
        },
      });
    },
  };
  /** Makes the next one fail, or one behind so many others. */
  const failNext = (what: "hold" | "copy", behind = 0) => void failing.set(what, behind);
  return { engine: counted, open: () => held.size, failNext };
}

import type { HeldNumbers } from "../runtime/held.ts";
import type { Engine } from "../runtime/session.ts";

/** An engine of which a test sees how much it holds, and that can be made to fail. */
export function countingHeld<E extends Pick<Engine, "hold">>(engine: E) {
  const held = new Set<HeldNumbers>();
  const failing = new Set<"hold" | "copy">();
  const failWhere = (what: "hold" | "copy") => {
    if (failing.delete(what)) throw new Error(`no ${what}`);
  };
  const counted: E = {
    ...engine,
    async hold(length) {
      failWhere("hold");
      const one = await engine.hold(length);
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
  return { engine: counted, open: () => held.size, failNext: (what: "hold" | "copy") => void failing.add(what) };
}

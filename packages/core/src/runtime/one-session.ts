import { InternalError } from "../errors.ts";
import type { Engine, Session } from "./session.ts";

/**
 * An engine of which one session is open at a time: another one is opened when it is asked something, and the one before
 * is closed first and opened again when it is asked next.
 */
export function oneSession(engine: Engine): Engine {
  let open: { readonly owner: object; readonly session: Session } | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const close = async () => {
    const last = open;
    open = undefined;
    await last?.session.release();
  };
  /** Does something when everything before is over. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const own = turn.then(work, work);
    turn = own;
    return own;
  };
  return {
    ...engine,
    async createSession(graph) {
      const owner = {};
      let isReleased = false;
      const opened = async (): Promise<Session> => {
        if (isReleased) throw new InternalError("a session that was given back cannot run");
        if (open?.owner === owner) return open.session;
        await close();
        const session = await engine.createSession(graph);
        open = { owner, session };
        return session;
      };
      await inTurn(opened);
      return {
        run: (...asked) => inTurn(async () => (await opened()).run(...asked)),
        release: () =>
          inTurn(async () => {
            isReleased = true;
            if (open?.owner === owner) await close();
          }),
      };
    },
  };
}

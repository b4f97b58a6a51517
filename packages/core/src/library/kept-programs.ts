import type { Decoder } from "../generation/decoder.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { shapeOf } from "../peft/shape-of.ts";
import type { CompiledEvaluation } from "../training/evaluate.ts";
import type { RowOutput, RowProgram } from "../training/row-program.ts";

/** Something compiled that holds a session. */
interface Compiled {
  release(): Promise<void>;
}

/** What is lent of the kept; it stays compiled until it is given back. */
interface Lent<T> {
  readonly compiled: T;
  giveBack(): Promise<void>;
}

/** Compiled programs of one kind, made once and used by every call that needs the same. */
interface Kept<T extends Compiled> {
  /** The program of that key, compiled where it is not there yet. */
  borrow(key: string, compile: () => Promise<T>): Promise<Lent<T>>;
  /** Lends it to some work. */
  use<R>(key: string, compile: () => Promise<T>, work: (compiled: T) => Promise<R>): Promise<R>;
}

/** The programs of an open base; adapters of one shape share them, since Φ is an input. */
export interface KeptPrograms {
  /** by what is computed of a row, and the model's shape */
  readonly rows: Kept<RowProgram>;
  readonly evaluations: Kept<CompiledEvaluation>;
  readonly decoders: Kept<Decoder>;
}

/** How many programs of a kind an open base keeps that nobody uses; those that were used longest ago go. */
const mostIdle = 8;

export const keptPrograms = (): KeptPrograms => ({
  rows: kept(mostIdle),
  evaluations: kept(mostIdle),
  decoders: kept(mostIdle),
});

/** Keeps what is compiled, and at most so many that nobody uses. */
function kept<T extends Compiled>(most: number): Kept<T> {
  const entries = new Map<string, { readonly made: Promise<T>; users: number }>();
  const tidy = async () => {
    const idle = [...entries].filter(([, { users }]) => users === 0);
    for (const [key, { made }] of idle.slice(0, Math.max(0, idle.length - most))) {
      entries.delete(key);
      await (await made).release();
    }
  };
  const borrow = async (key: string, compile: () => Promise<T>): Promise<Lent<T>> => {
    const entry = entries.get(key) ?? { made: compile(), users: 0 };
    entries.delete(key);
    entries.set(key, entry); // the newest stand last
    entry.users++;
    try {
      const compiled = await entry.made;
      let lent = true;
      return {
        compiled,
        async giveBack() {
          if (lent) entry.users--;
          lent = false;
          await tidy();
        },
      };
    } catch (error) {
      entries.delete(key);
      throw error;
    }
  };
  return {
    borrow,
    async use(key, compile, work) {
      const { compiled, giveBack } = await borrow(key, compile);
      try {
        return await work(compiled);
      } finally {
        await giveBack();
      }
    },
  };
}

/** What a program for rows is kept under. */
export const programKey = (output: RowOutput, adapted: AdaptedModel): string => `${output} ${shapeOf(adapted)}`;

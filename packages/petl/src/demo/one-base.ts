import { join } from "node:path";
import type { Label } from "@petl/core";
import { openBank } from "../library/bank.ts";
import type { OpenBase } from "../library/open-base.ts";
import { secondsSince } from "./training.ts";

/** What the adapters that were asked say of one text. */
export interface AskedText {
  readonly text: string;
  readonly answers: readonly { readonly adapter: string; readonly label: Label; readonly score: number }[];
}

/** What one process with one open base holds, and answered. */
export interface OneBase {
  readonly adapters: number;
  /** Θ, in the file that is mapped into memory once */
  readonly base_bytes: number;
  /** Φ of all adapters together, in memory */
  readonly adapter_bytes: number;
  readonly tasks: readonly AskedText[];
  readonly users: readonly AskedText[];
  /** to load all adapters and to ask them */
  readonly seconds: number;
}

const messages = [
  "How do I get my money back for the kettle that stopped working after two days?",
  "Who do I thank for the lovely meal that your driver brought us?",
  "When will the coat that I ordered for my mother arrive?",
];

const urgencies = [
  "The mother of the twins is in labour and asks for you now.",
  "My A string has snapped and the concert begins in half an hour.",
  "There is smoke coming out of the kitchen socket.",
];

/**
 * Loads all adapters into a bank over one base and asks those of the tasks the same, and those of the users the same: all at
 * once, in batches whose rows each have an adapter of their own.
 */
export async function askTogether(
  base: OpenBase,
  folder: string,
  { tasks, users }: { readonly tasks: readonly string[]; readonly users: readonly string[] },
): Promise<OneBase> {
  const begin = performance.now();
  const bank = await openBank(base);
  const ask = async (names: readonly string[], texts: readonly string[]): Promise<readonly AskedText[]> => {
    const rows = texts.flatMap((text) => names.map((adapter) => ({ adapter, text })));
    const answers = await bank.predict(rows);
    const told = rows.flatMap((row, at) => {
      const answer = answers[at];
      return answer?.label === undefined ? [] : [{ ...row, label: answer.label, score: answer.score }];
    });
    return texts.map((text) => ({
      text,
      answers: told.flatMap(({ text: own, ...answer }) => (own === text ? [answer] : [])),
    }));
  };
  try {
    // an adapter that has learnt nothing is shown, too
    for (const name of [...tasks, ...users]) await bank.load(name, join(folder, name), { neutral: true });
    const [ofTasks, ofUsers] = await Promise.all([ask(tasks, messages), ask(users, urgencies)]);
    const loaded = bank.list();
    return {
      tasks: ofTasks,
      users: ofUsers,
      adapters: loaded.length,
      base_bytes: await weightBytes(base),
      adapter_bytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0),
      seconds: secondsSince(begin),
    };
  } finally {
    await bank.close();
  }
}

/** The bytes of a base's weights. */
export async function weightBytes({ folder, checkpoint }: OpenBase): Promise<number> {
  const sizes = (checkpoint?.files ?? []).map(async (file) => (await folder.open(file)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

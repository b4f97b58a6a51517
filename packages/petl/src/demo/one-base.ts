import { join } from "node:path";
import { type Label, predict } from "@petl/core";
import { loadAdapter } from "../library/load-adapter.ts";
import type { OpenBase } from "../library/open-base.ts";
import { secondsSince } from "./training.ts";

/** What the adapters that were asked say of one text. */
export interface Asked {
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
  readonly tasks: readonly Asked[];
  readonly users: readonly Asked[];
  /** to load all adapters and to ask them */
  readonly seconds: number;
}

const messages = [
  "How do I get my money back for the kettle that stopped working after two days?",
  "Who do I thank for the lovely meal that your driver brought us?",
  "When will the coat that I ordered for my mother arrive?",
];

const urgencies = [
  "Her waters have broken and the pains come every three minutes.",
  "My A string has snapped and the concert begins in half an hour.",
  "There is smoke coming out of the kitchen socket.",
];

/** Loads all adapters onto one base, asks those of the tasks the same, and those of the users the same. */
export async function askTogether(
  base: OpenBase,
  folder: string,
  { tasks, users }: { readonly tasks: readonly string[]; readonly users: readonly string[] },
): Promise<OneBase> {
  const begin = performance.now();
  const load = async (name: string) => [name, await loadAdapter(base, join(folder, name))] as const;
  const [forTasks, forUsers] = [await Promise.all(tasks.map(load)), await Promise.all(users.map(load))];
  const ask = async (models: typeof forTasks, texts: readonly string[]): Promise<readonly Asked[]> => {
    const all = await Promise.all(models.map(async ([name, model]) => [name, await predict(model, texts)] as const));
    return texts.map((text, i) => ({
      text,
      answers: all.flatMap(([adapter, answers]) => {
        const answer = answers[i];
        return answer?.label === undefined ? [] : [{ adapter, label: answer.label, score: answer.score }];
      }),
    }));
  };
  const answered = { tasks: await ask(forTasks, messages), users: await ask(forUsers, urgencies) };
  const loaded = [...forTasks, ...forUsers];
  return {
    ...answered,
    adapters: loaded.length,
    base_bytes: await weightBytes(base),
    adapter_bytes: loaded.reduce((sum, [, { phi }]) => sum + phi.values.byteLength, 0),
    seconds: secondsSince(begin),
  };
}

/** The bytes of a base's weights. */
export async function weightBytes({ folder, checkpoint }: OpenBase): Promise<number> {
  const sizes = (checkpoint?.files ?? []).map(async (file) => (await folder.open(file)).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

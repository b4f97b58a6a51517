import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError, RunError, type Together, type TrainingRun, together } from "@petl/core";
import { type TrainFlags, trainFlags } from "../flags/train-flags.ts";
import { type OpenBase, openFolder } from "../library/open-base.ts";
import { explainFileError, MachineError } from "../machine-error.ts";
import type { RunSummary } from "../runs/train-run.ts";
import { resolveModel } from "./open.ts";
import { carriedOut, newRun, type Run } from "./train.ts";
import { type Context, defineVerb } from "./verb.ts";

const { resume: _, report: __, ...flags } = trainFlags;

export const trainManyVerb = defineVerb({
  name: "train-many",
  group: "Train",
  summary: "fine-tune one adapter for each user of a folder",
  flags: {
    ...flags,
    data: {
      ...flags.data,
      placeholder: "FOLDER",
      help: "a folder whose entries are users, each a data file or folder",
    },
    out: { ...flags.out, help: "the folder that receives a folder for each user, as petl train writes it" },
  },
  takesMethods: true,
  examples: ["train-many --base BASE --data users --method lora --rank 4 --out adapters"],
  async run({ flags: given, json, methodOptions }, context) {
    const begin = performance.now();
    const { out } = given;
    const [data, ...more] = given.data;
    if (more.length > 0) throw new InputError("--data is one folder, whose entries are the users");
    if (data === undefined || out === undefined)
      throw new InputError(
        [data === undefined ? "--data is missing" : [], out === undefined ? "--out is missing" : []].flat(),
      );
    const users = await usersIn(data);
    const results: Record<string, RunSummary | Failed> = {};
    const note = (name: string, found: RunSummary | Failed) => {
      results[name] = found;
      context.terminal.line("error" in found ? `${name}: failed: ${found.error}` : `${name}: ${wordsOf(found)}`);
    };
    await trainUsers(users, { ...given, out, resume: undefined, report: undefined }, methodOptions, context, note);
    const broken = users.flatMap(({ name }) => {
      const found = results[name];
      return found && "error" in found ? [`${name}: ${found.error}`] : [];
    });
    const seconds = (performance.now() - begin) / 1000;
    const counts = { trained: users.length - broken.length, failed: broken.length };
    if (json)
      await context.print(JSON.stringify({ users: inOrder(users, results), ...counts, seconds, out: resolve(out) }));
    else await context.print(`${counts.trained} of ${users.length} users trained in ${seconds.toFixed(1)} s: ${out}`);
    if (broken.length > 0) throw new InputError(broken);
  },
});

interface User {
  readonly name: string;
  readonly path: string;
}

/**
 * Each entry of a folder, named without its extension; hidden ones are none.
 * @throws InputError for a folder without users, or with two of one name
 */
async function usersIn(folder: string): Promise<readonly User[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw explainFileError(error, "read", folder);
  });
  const users = entries
    .filter(({ name }) => !name.startsWith("."))
    .map((entry) => ({
      name: entry.isDirectory() ? entry.name : withoutExtension(entry.name),
      path: join(folder, entry.name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (users.length === 0) throw new InputError(`--data ${folder} holds no users: it is empty`);
  const twice = users.filter(({ name }, at) => name === users[at + 1]?.name);
  if (twice.length > 0)
    throw new InputError(twice.map(({ name }) => `--data ${folder} has two entries of a user "${name}"`));
  return users;
}

const withoutExtension = (name: string): string => name.replace(/(?<=.)\.[^.]*$/, "");

interface Failed {
  readonly error: string;
}

type Note = (name: string, found: RunSummary | Failed) => void;

/** A user's run that can begin. */
interface UserRun {
  readonly name: string;
  readonly run: Run;
  readonly context: Context;
}

/** Opens every user's run on one base, and trains together those that can be; one user's fault ends no other's training. */
async function trainUsers(
  users: readonly User[],
  given: TrainFlags & { readonly out: string },
  methodOptions: Readonly<Record<string, unknown>>,
  context: Context,
  note: Note,
): Promise<void> {
  if (given.base === undefined) throw new InputError("--base is missing");
  const folder = resolve(await resolveModel(given.base, given, context));
  const base = await openFolder(folder, { name: given.base, threads: given.threads, signal: undefined });
  const shared: OpenBase = { ...base, close: async () => undefined };
  const runs: UserRun[] = [];
  try {
    for (const { name, path } of users) {
      const own = { ...context, terminal: namedTerminal(name, context.terminal) };
      const ownFlags = { ...given, data: [path], out: join(given.out, name) };
      await orFailed(
        name,
        own,
        note,
        async () => void runs.push({ name, run: await newRun(ownFlags, methodOptions, own, shared), context: own }),
      );
    }
    const trainings = runs.map((each) => ({ ...each.run.run.training, each }));
    for (const list of together(trainings)) {
      const ended = await Promise.allSettled(list.map((one) => trainUser(one, note)));
      for (const each of ended) if (each.status === "rejected") throw each.reason;
    }
  } finally {
    for (const { run } of runs) await run.lock.release();
    await base.close();
  }
}

/** Trains one of those who are trained side by side. */
async function trainUser({ run: { each }, step }: Together<TrainingRun & { readonly each: UserRun }>, note: Note) {
  const { name, run, context } = each;
  const training = { ...run.run.training, step };
  try {
    await orFailed(name, context, note, async () =>
      note(name, await carriedOut({ ...run, run: { ...run.run, training } }, context)),
    );
  } finally {
    await step?.release();
  }
}

/** Does some of a user's work; what the user can mend is noted and ends nothing else. */
async function orFailed(name: string, { signal }: Context, note: Note, work: () => Promise<void>): Promise<void> {
  try {
    signal.throwIfAborted();
    await work();
  } catch (error) {
    const expected =
      !signal.aborted && (error instanceof InputError || error instanceof RunError || error instanceof MachineError);
    if (!expected) throw error;
    note(name, { error: error.message });
  }
}

/** A terminal whose lines say whose they are. */
function namedTerminal(name: string, { line, progress, done }: Context["terminal"]): Context["terminal"] {
  return {
    done,
    line: (text) => line(`${name}: ${text}`),
    progress: (values) => progress("step" in values ? { ...values, run: name } : values),
  };
}

/** The results by the users' names, in the users' order. */
const inOrder = (users: readonly User[], results: Readonly<Record<string, RunSummary | Failed>>) =>
  Object.fromEntries(users.flatMap(({ name }) => (results[name] ? [[name, results[name]] as const] : [])));

function wordsOf({ steps, examples, seconds, loss, evaluation }: RunSummary): string {
  const scores = Object.entries(evaluation ?? {}).filter(([, value]) => typeof value === "number");
  const shown = scores.slice(0, 3).map(([measure, value]) => `${measure} ${Number(value).toPrecision(4)}`);
  return [
    `${examples} rows, ${steps} steps in ${seconds.toFixed(1)} s`,
    `loss ${loss?.toPrecision(4) ?? "?"}`,
    ...shown,
  ].join("  ");
}

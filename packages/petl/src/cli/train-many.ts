import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError, RunError } from "@petl/core";
import { explainFileError, MachineError } from "../machine-error.ts";
import type { RunSummary } from "../runs/train-run.ts";
import { carriedOut, newRun } from "./train.ts";
import { type TrainFlags, trainFlags } from "./train-flags.ts";
import { type Context, defineVerb } from "./verb.ts";

const { resume: _, report: __, ...flags } = trainFlags;

export const trainManyVerb = defineVerb({
  name: "train-many",
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
    const results: Record<string, RunSummary | { readonly error: string }> = {};
    const broken: string[] = [];
    for (const { name, path } of users) {
      const found = await trainUser(
        name,
        { ...given, resume: undefined, report: undefined, data: [path], out: join(out, name) },
        methodOptions,
        context,
      );
      results[name] = found;
      if ("error" in found) broken.push(`${name}: ${found.error}`);
      context.terminal.line("error" in found ? `${name}: failed: ${found.error}` : `${name}: ${wordsOf(found)}`);
    }
    const seconds = (performance.now() - begin) / 1000;
    const counts = { trained: users.length - broken.length, failed: broken.length };
    if (json) await context.print(JSON.stringify({ users: results, ...counts, seconds, out: resolve(out) }));
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

/** What became of one user; another one's fault ends nothing. */
async function trainUser(
  name: string,
  given: TrainFlags,
  methodOptions: Readonly<Record<string, unknown>>,
  context: Context,
): Promise<RunSummary | { readonly error: string }> {
  const { line, progress, done } = context.terminal;
  const terminal: Context["terminal"] = {
    ...{ done, line: (text) => line(`${name}: ${text}`) },
    progress: (values) => progress("step" in values ? { ...values, run: name } : values),
  };
  try {
    context.signal.throwIfAborted();
    const own = { ...context, terminal };
    return await carriedOut(await newRun(given, methodOptions, own), own);
  } catch (error) {
    const expected =
      !context.signal.aborted &&
      (error instanceof InputError || error instanceof RunError || error instanceof MachineError);
    if (!expected) throw error;
    return { error: error.message };
  }
}

function wordsOf({ steps, examples, seconds, loss, evaluation }: RunSummary): string {
  const scores = Object.entries(evaluation ?? {}).filter(([, value]) => typeof value === "number");
  const shown = scores.slice(0, 3).map(([measure, value]) => `${measure} ${Number(value).toPrecision(4)}`);
  return [
    `${examples} rows, ${steps} steps in ${seconds.toFixed(1)} s`,
    `loss ${loss?.toPrecision(4) ?? "?"}`,
    ...shown,
  ].join("  ");
}

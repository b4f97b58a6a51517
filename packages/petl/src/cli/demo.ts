import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { bundledBases } from "../bundled/bundled-bases.ts";
import { accuracyFigure } from "../demo/figures.ts";
import { nextCommands } from "../demo/next-commands.ts";
import { tourPage } from "../demo/report.ts";
import { svgFile } from "../demo/svg.ts";
import { type TourEvent, type TourResult, tour } from "../demo/tour.ts";
import {
  answersText,
  baseText,
  cellsOf,
  columns,
  findings,
  furtherCells,
  furtherColumns,
  taskText,
} from "../demo/words.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { writeFileSafely } from "../disk/safe-write.ts";
import { optionalCount, text, toggle } from "../flags/flags.ts";
import { explainFileError, systemCode } from "../machine-error.ts";
import { folderState } from "../runs/folder.ts";
import { type Context, defineVerb } from "./verb.ts";

const bundled = "petl-mini-encoder";

export const demoVerb = defineVerb({
  name: "demo",
  group: "Begin",
  summary: "compare methods side by side on one base, then serve three tasks and two users from it",
  flags: {
    base: text("BASE", `take another encoder than ${bundled}`),
    out: text("DIR", "the folder for report.html, numbers.json and the adapters (petl-demo, with a number if taken)"),
    quick: toggle(false, "one epoch of everything: shows that it runs, and its accuracies mean nothing"),
    threads: optionalCount("threads that share the work (default: the machine's cores)"),
  },
  examples: ["demo", "demo --out tour"],
  async run({ flags, json }, context) {
    const base = flags.base ?? (await bundledBase());
    const folder = flags.out === undefined ? await freeFolder("petl-demo") : await emptyFolder(flags.out);
    const { quick, threads } = flags;
    let result: TourResult | undefined;
    for await (const event of tour({ base, folder, quick, threads, signal: context.signal })) {
      show(event, context);
      if (event.kind === "end") result = event.result;
    }
    if (!result) return;
    const next = nextCommands(base, folder);
    await keep(folder, result, next);
    if (json) await context.print(JSON.stringify(result));
    else await tell(result, next, context);
    context.terminal.line(`kept in ${folder}: report.html, accuracy.svg, numbers.json, adapters/`);
  },
});

async function bundledBase(): Promise<string> {
  if ((await bundledBases()).includes(bundled)) return bundled;
  throw new InputError(`this copy of petl comes without ${bundled}; name an encoder with --base, a folder or a hub id`);
}

/** Makes a folder that nobody has: the name itself, or with the first free number behind it. */
async function freeFolder(name: string, number = 1): Promise<string> {
  const path = number === 1 ? name : `${name}-${number}`;
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return freeFolder(name, number + 1);
    throw explainFileError(error, "write", path);
  }
}

async function emptyFolder(out: string): Promise<string> {
  if ((await folderState(out)) !== "empty") throw new InputError(`--out ${out} is not empty; name another folder`);
  await makeFolder(out).catch((error: unknown) => {
    throw explainFileError(error, "write", out);
  });
  return out;
}

async function keep(folder: string, result: TourResult, next: readonly string[]): Promise<void> {
  const write = (name: string, content: string) =>
    writeFileSafely(join(folder, name), [new TextEncoder().encode(content)]);
  await write("report.html", tourPage(result, next));
  await write("accuracy.svg", svgFile(accuracyFigure(result)));
  await write("numbers.json", `${JSON.stringify(result, undefined, 2)}\n`);
}

/** The tour as it goes on, on stderr. */
function show(event: TourEvent, { terminal }: Context): void {
  if (event.kind === "step") terminal.progress(event);
  if (event.kind !== "trial") return;
  const { method, seed, right, of, seconds } = event;
  terminal.line(`${method}, seed ${seed}: ${right} of ${of} right after ${seconds.toFixed(1)} s`);
}

/** The tour's tables and findings, on stdout. */
async function tell(result: TourResult, next: readonly string[], { print, terminal }: Context): Promise<void> {
  terminal.done();
  const { methods, further, one_base } = result;
  const asked = [...one_base.tasks, ...one_base.users].flatMap((each) => [`"${each.text}"`, `  ${answersText(each)}`]);
  const lines = [
    ...[baseText(result), taskText(result), ""],
    ...aligned([columns, ...methods.map((row) => cellsOf(row, result))]),
    ...["", ...aligned([furtherColumns, ...further.map(furtherCells)]), ""],
    ...[...asked, ""],
    ...[...findings(result).map((line) => `- ${line}`), ""],
    ...["try next:", ...next.map((command) => `  ${command}`)],
  ];
  for (const line of lines) await print(line);
}

/** Rows of cells as lines, whose columns stand below one another. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + 2);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("")
      .trimEnd(),
  );
}

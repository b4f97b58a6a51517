import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { InputError } from "@petl/core";
import { reportPage } from "../demo/report.ts";
import { type TourEvent, type TourResult, tour } from "../demo/tour.ts";
import { baseText, cellsOf, columns, findings, percent, targetText } from "../demo/words.ts";
import { clearFolder, folderState } from "../runs/folder.ts";
import { writeFileSafely } from "../safe-write.ts";
import { count, text, toggle } from "./flags.ts";
import { type Context, defineVerb } from "./verb.ts";

export const demoVerb = defineVerb({
  name: "demo",
  summary: "compare methods side by side on a base that is made on the spot",
  flags: {
    out: text("DIR", "keep the base, the adapters and a report.html in this folder"),
    quick: toggle(false, "one epoch of everything: shows that it runs, and its accuracies mean nothing"),
    threads: count("threads that share the work (default: the machine's cores)"),
  },
  examples: ["demo", "demo --out tour"],
  async run({ flags, json }, context) {
    const folder = await folderFor(flags.out);
    try {
      const show = json ? progressOnly(context) : everything(context);
      let result: TourResult | undefined;
      for await (const event of tour({ folder, quick: flags.quick, threads: flags.threads, signal: context.signal })) {
        await show(event);
        if (event.kind === "end") result = event.result;
      }
      if (!result) return;
      if (json) await context.print(JSON.stringify(result));
      if (flags.out !== undefined) await keep(flags.out, result, context);
    } finally {
      if (flags.out === undefined) await rm(folder, { recursive: true, force: true });
    }
  },
});

/** The folder that is asked for, which must be empty, or one that is removed at the end. */
async function folderFor(out: string | undefined): Promise<string> {
  if (out === undefined) return mkdtemp(join(tmpdir(), "petl-demo-"));
  if ((await folderState(out)) !== "empty") throw new InputError(`--out ${out} is not empty; name another folder`);
  await clearFolder(out);
  return resolve(out);
}

async function keep(out: string, result: TourResult, { terminal }: Context): Promise<void> {
  const write = (name: string, content: string) =>
    writeFileSafely(join(out, name), [new TextEncoder().encode(content)]);
  await write("report.html", reportPage(result));
  await write("numbers.json", `${JSON.stringify(result, undefined, 2)}\n`);
  terminal.line(`kept in ${out}: report.html, numbers.json, base/, adapters/`);
  terminal.line(
    `ask an adapter: petl predict --base ${join(out, "base")} --adapter ${join(out, "adapters", "lora")} --text "…"`,
  );
}

type Show = (event: TourEvent) => Promise<void>;

function progressOnly({ terminal }: Context): Show {
  let what = "";
  return async (event) => {
    if (event.kind !== "step") return;
    if (event.what !== what) terminal.line(`training ${event.what}`);
    what = event.what;
    terminal.progress(event);
  };
}

/** The tour as it goes on: the table grows line by line. */
function everything(context: Context): Show {
  const { print, terminal } = context;
  const progress = progressOnly(context);
  const row = (cells: readonly string[]) =>
    print(
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("")
        .trimEnd(),
    );
  return async (event) => {
    if (event.kind === "step") return progress(event);
    terminal.done();
    if (event.kind === "base") {
      for (const line of [baseText(event.base), targetText(event.target), ""]) await print(line);
      await row(columns);
    }
    if (event.kind === "method") await row(cellsOf(event.row));
    if (event.kind === "end") await conclusion(event.result, print);
  };
}

const widths = [12, 11, 9, 9, 7, 18, 9, 8];

async function conclusion(result: TourResult, print: Context["print"]): Promise<void> {
  await print("");
  for (const { text, answers } of result.asked) {
    await print(`"${text}"`);
    await print(`  ${answers.map(({ method, label, score }) => `${method}: ${label} ${percent(score)}`).join("  ")}`);
  }
  await print("");
  for (const line of findings(result)) await print(`- ${line}`);
}

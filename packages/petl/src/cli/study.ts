import { InputError, type Summary, studies, takenAmong, takenText } from "@petl/core";
import { optionalCount, text, toggle } from "../flags/flags.ts";
import { baseFlag, offlineFlag } from "../flags/shared-flags.ts";
import { dryRun } from "../studies/dry-run.ts";
import { carryingSettings, requestSettings } from "../studies/request-settings.ts";
import { type StudyEvent, type StudyProgress, study } from "../studies/study.ts";
import { tableLines } from "./evaluation-report.ts";

import { type Context, defineVerb } from "./verb.ts";
import { queueHelp } from "./worker.ts";

export const studyVerb = defineVerb({
  name: "study",
  group: "Study",
  summary: "repeat an experiment of the papers on your base and data",
  operand: "<NAME>",
  operandNames: studies.map((each) => each.name),
  flags: {
    base: baseFlag,
    data: carryingSettings.data,
    validation: carryingSettings.validation,
    source: carryingSettings.source,
    ...requestSettings,
    jobs: carryingSettings.jobs,
    threads: optionalCount("cores to use where --jobs does not say how many cells run at a time"),
    queue: text("URL", `${queueHelp}, whose workers take the cells (default: children of this process)`),
    shared: text("DIR", "with --queue: the folder that workers share, where it has another path on their machines"),
    reuse: carryingSettings.reuse,
    out: carryingSettings.out,
    overwrite: carryingSettings.overwrite,
    dryRun: toggle(false, "print the cells with their steps and what they will cost, and train nothing"),
    offline: offlineFlag,
  },
  examples: [
    "study compare --base petl-mini-encoder --data reviews --budget quick",
    "study placement --base BASE --data glue/sst2 --train-rows 2000 --seeds 3 --out placement",
    "study rank --base BASE --data reviews --dry-run",
    "study data-size --base BASE --data reviews --reuse petl-study-compare",
  ],
  async run({ flags, json, operands }, context) {
    const { overwrite, dryRun: dry, jobs, threads, queue: url, shared, ...rest } = flags;
    if (shared !== undefined && url === undefined) throw new InputError("--shared is of use beside --queue alone");
    const name = nameOf(operands);
    const request = { ...rest, signal: context.signal };
    if (dry) return context.print(dryText(await dryRun(name, request), json));
    const how = {
      overwrite,
      jobs: jobs ?? threads,
      onRemark: context.terminal.line,
      ...(url !== undefined && { queue: { url, shared } }),
    };
    const summary = await followed(study(name, { ...request, ...how }), context);
    if (json) return context.print(JSON.stringify(summary));
    for (const line of report(summary)) await context.print(line);
  },
});

function nameOf(operands: readonly string[]): string {
  const [name] = operands;
  if (name !== undefined) return name;
  throw new InputError(`name a study: ${studies.map((each) => each.name).join(", ")}`);
}

/** Shows a study as it goes on; on a terminal and off it there is a sign of life every few seconds. */
async function followed(events: AsyncIterable<StudyEvent>, { terminal }: Context): Promise<Summary> {
  let pace = paceOf();
  let now: StudyProgress | undefined;
  const shown = () => {
    if (!now || now.cells === 0) return;
    const { cells, done, running } = now;
    const counts = running === undefined ? {} : { running, waiting: cells - done - running };
    terminal.progress({ what: "finished", done, of: cells, unit: "cells", ...counts, ...pace.left(now) });
  };
  const pulse = setInterval(shown, 5000);
  let summary: Summary | undefined;
  try {
    for await (const event of events) {
      if (event.kind === "remark") terminal.line(event.text);
      if (event.kind === "start") {
        const { cells, done, out } = event;
        terminal.line(
          `${cells} cells${done > 0 ? `, ${done} of them finished before` : ""}; their records are kept in ${out}`,
        );
      }
      if (event.kind === "taken") {
        for (const taken of takenAmong(event.records, event.cells)) terminal.line(takenText(taken));
        pace = paceOf(); // what is taken over takes no time
      }
      if (event.kind === "start" || event.kind === "taken" || event.kind === "record") {
        now = event;
        pace.reached(event);
      }
      if (event.kind === "end") ({ summary } = event);
      else shown();
    }
  } finally {
    clearInterval(pulse);
    terminal.done();
  }
  if (summary) return summary;
  throw new DOMException("interrupted", "AbortError");
}

/** How long what is left will take: as the cells that were finished took, weighed by what a plan says that each costs. */
function paceOf() {
  let begin: { readonly at: number; readonly work: number } | undefined;
  let last = 0;
  return {
    reached({ work }: StudyProgress) {
      last = performance.now();
      begin ??= { at: last, work };
    },
    left({ work }: StudyProgress): { readonly secondsLeft?: number } {
      if (!begin || work >= begin.work) return {};
      const pace = (last - begin.at) / 1000 / (begin.work - work);
      return { secondsLeft: Math.max(0, work * pace - (performance.now() - last) / 1000) };
    },
  };
}

/** A summary's findings and cells, as lines. */
function report({ question, findings, rows, table: side, taken = [] }: Summary): readonly string[] {
  const named = rows.map(({ cell, mean, low, high, seeds }) => ({
    name: Object.entries(cell)
      .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join("  "),
    numbers: `${mean.toFixed(4)}  (${low.toFixed(4)} to ${high.toFixed(4)}, ${seeds} ${seeds === 1 ? "seed" : "seeds"})`,
  }));
  const width = Math.max(0, ...named.map(({ name }) => name.length));
  return [
    ...[question, ""],
    ...(side
      ? tableLines([side.columns, ...side.rows])
      : named.map(({ name, numbers }) => `${name.padEnd(width)}  ${numbers}`)),
    "",
    ...taken.map(takenText),
    ...findings.map(
      ({ claim, holds, evidence }) =>
        `${holds === "undecided" ? "undecided" : holds ? "yes" : "no"}: ${claim} (${evidence})`,
    ),
  ];
}

/** The grid with its cost: JSON, or a line a cell. */
function dryText(plan: Awaited<ReturnType<typeof dryRun>>, json: boolean): string {
  if (json) return JSON.stringify(plan);
  const { cells, estimate } = plan;
  const lines = cells.map(
    ({ cell, seed, steps, taken_from: from }) =>
      `${JSON.stringify(cell)}  seed ${seed}  ${from === undefined ? `${steps} steps` : `taken from ${from}`}`,
  );
  const cost = `${cells.length} cells, about ${Math.ceil(estimate.seconds / 60)} min and ${Math.ceil(estimate.memory_bytes / 1e6)} MB`;
  return [...lines, cost].join("\n");
}

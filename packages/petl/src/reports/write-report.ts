import { join } from "node:path";
import { cardParts, type Evaluation, type ExampleSet, type OpenModel, type StopSignal } from "@petl/core";
import { writeFileSafely } from "../disk/safe-write.ts";
import { cardSubject } from "../library/save.ts";
import type { OpenRun } from "../runs/open-run.ts";
import { metricsFile } from "../runs/store-run.ts";
import { factsOf, type RunSummary } from "../runs/train-run.ts";
import { curveFigures, readMetrics } from "./curves.ts";
import { type ModelReport, modelPage } from "./model-page.ts";
import { worstRows } from "./worst-rows.ts";

/** Rows that a report shows. */
const shownRows = 20;

interface EndedRun {
  readonly run: OpenRun;
  readonly summary: RunSummary;
  readonly signal: StopSignal;
}

/** Writes a finished run's page: its curves, its scores, the held-out rows that it answers worst, its card. */
export async function writeRunReport(path: string, { run, summary, signal }: EndedRun): Promise<void> {
  const { model, validation } = run;
  const { evaluation, method, steps, try_next: advice } = summary;
  const { maxLength } = run;
  const figures = curveFigures(await readMetrics(join(summary.out, metricsFile)));
  await write(path, {
    title: `${method} on ${model.base.name}`,
    subtitle: `petl train · ${steps} steps, ${summary.examples} rows, ${summary.seconds.toFixed(0)} s`,
    figures,
    evaluation,
    advice,
    worst: evaluation ? await worstRows(model, validation, { count: shownRows, maxLength, signal }) : [],
    card: cardParts(cardSubject(model), factsOf(run, evaluation)),
  });
}

interface Measured {
  readonly model: OpenModel;
  readonly set: ExampleSet;
  readonly evaluation: Evaluation;
  readonly maxLength?: number | undefined;
  readonly signal: StopSignal;
}

/** Writes the page of a model that was measured on some rows. */
export async function writeEvaluationReport(path: string, measured: Measured): Promise<void> {
  const { model, set, evaluation, maxLength, signal } = measured;
  const method = model.adapted.methods.map(({ name }) => name).join("+") || "no adapter";
  await write(path, {
    title: `${method} on ${model.base.name}`,
    subtitle: `petl evaluate · ${evaluation.examples} rows of ${set.name}`,
    figures: [],
    evaluation,
    advice: [],
    worst: await worstRows(model, set, { count: shownRows, maxLength, signal }),
    card: cardParts(cardSubject(model), { evaluation }),
  });
}

const write = async (path: string, report: ModelReport): Promise<void> =>
  writeFileSafely(path, [new TextEncoder().encode(await modelPage(report))]);

import { readFile } from "node:fs/promises";
import { type Figure, parsedJson } from "@petl/core";
import { z } from "zod";

/** Points that a curve shows; more are averaged. */
const mostPoints = 40;

const lineShape = z.object({
  step: z.number(),
  loss: z.number().nullish(),
  evaluation: z.object({ loss: z.number(), accuracy: z.number().optional() }).optional(),
});

/** A line of metrics.jsonl, or an event of a training. */
export type MetricsLine = z.infer<typeof lineShape>;

/** The lines of a run's metrics.jsonl, of the parts before and behind an interruption alike. */
export async function readMetrics(path: string): Promise<readonly MetricsLine[]> {
  const lines = (await readFile(path, "utf8")).split("\n");
  return lines.filter((text) => text !== "").map((text) => lineShape.parse(parsedJson(text)));
}

interface At {
  readonly x: number;
  readonly y: number;
}

/** A training's curves: the loss of its steps, and the loss and the accuracy on held-out rows. */
export function curveFigures(metrics: readonly MetricsLine[]): readonly Figure[] {
  const points = (valueAt: (line: MetricsLine) => number | null | undefined): readonly At[] =>
    metrics.flatMap((line) => {
      const y = valueAt(line);
      return y === undefined || y === null ? [] : [{ x: line.step, y }];
    });
  const held = points(({ evaluation }) => evaluation?.loss);
  const losses = [...named(averaged(points(({ loss }) => loss)), "training"), ...named(held, "held out")];
  const accuracy = points(({ evaluation }) => evaluation?.accuracy);
  const axis = { label: "steps of the optimizer" };
  return [
    ...(losses.length > 1 ? [{ ...curve("loss", "Loss while training", "loss"), x: axis, points: losses }] : []),
    ...(accuracy.length > 1
      ? [{ ...curve("accuracy", "Accuracy on held-out rows", "accuracy"), x: axis, points: accuracy }]
      : []),
  ];
}

const curve = (name: string, title: string, label: string) => ({ kind: "points" as const, name, title, y: { label } });

const named = (points: readonly At[], series: string) => points.map((point) => ({ ...point, series }));

/** As many points as are told apart: means over stretches of steps, each at its middle. */
function averaged(points: readonly At[]): readonly At[] {
  const size = Math.ceil(points.length / mostPoints);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return Array.from({ length: Math.ceil(points.length / Math.max(1, size)) }, (_, at) => {
    const part = points.slice(at * size, (at + 1) * size);
    return { x: mean(part.map(({ x }) => x)), y: mean(part.map(({ y }) => y)) };
  });
}

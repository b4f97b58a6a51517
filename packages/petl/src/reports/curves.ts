import type { Figure, TrainingEvent } from "@petl/core";

/** Points that a curve shows; more are averaged. */
const mostPoints = 40;

/** What a run's events say of its way, to be drawn. */
export interface Curves {
  see(event: TrainingEvent): void;
  figures(): readonly Figure[];
}

interface At {
  readonly x: number;
  readonly y: number;
}

/** Watches a training for its curves: the loss of its steps, and the loss and the accuracy on held-out rows. */
export function watchCurves(): Curves {
  const steps: At[] = [];
  const held: At[] = [];
  const accuracy: At[] = [];
  return {
    see(event) {
      if (event.kind === "step") steps.push({ x: event.step, y: event.loss });
      if (event.kind !== "evaluation") return;
      held.push({ x: event.step, y: event.evaluation.loss });
      if (event.evaluation.accuracy !== undefined) accuracy.push({ x: event.step, y: event.evaluation.accuracy });
    },
    figures() {
      const losses = [...named(averaged(steps), "training"), ...named(held, "held out")];
      const axis = { label: "steps of the optimizer" };
      return [
        ...(losses.length > 1 ? [{ ...curve("loss", "Loss while training", "loss"), x: axis, points: losses }] : []),
        ...(accuracy.length > 1
          ? [{ ...curve("accuracy", "Accuracy on held-out rows", "accuracy"), x: axis, points: accuracy }]
          : []),
      ];
    },
  };
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

import { plainHtml } from "../reports/page.ts";
import type { MethodRow } from "./compare.ts";
import { figure, label, line } from "./svg.ts";
import type { TourResult } from "./tour.ts";
import { shareText, signedRise } from "./words.ts";

const area = { left: 54, right: 472, top: 44, bottom: 300 };

/** Accuracy with its interval against the trained share of the base, on a logarithmic axis. */
export function accuracyFigure({ methods }: Pick<TourResult, "methods">): string {
  const [low, high] = rangeOf(methods);
  const yOf = (share: number) => area.bottom - ((share - low) / (high - low)) * (area.bottom - area.top);
  const levels = levelsBetween(low, high).flatMap((share) => [
    line({ from: [area.left, yOf(share)], to: [area.right, yOf(share)] }, "var(--line)", 1),
    label(area.left - 6, yOf(share) + 5, "end", `${Math.round(100 * share)} %`),
  ]);
  const ticks = [[0, "head only"] as const, ...decades.map((ratio) => [ratio, `${100 * ratio} %`] as const)];
  return figure(350, "accuracy against trained share", [
    ...levels,
    ...ticks.map(([ratio, text]) => label(xOf(ratio), area.bottom + 22, "middle", text)),
    label((area.left + area.right) / 2, area.bottom + 44, "middle", "trained share of the base, without the head"),
    ...methods.map((row, index) => mark(row, index, yOf)),
  ]);
}

/** shares of the base on the axis; what trains none of it stands left of them */
const decades = [0.001, 0.01, 0.1, 1];

function xOf(ratio: number): number {
  const [first, last] = [area.left + 112, area.right - 24];
  return ratio === 0 ? area.left + 40 : first + ((Math.log10(Math.max(ratio, 0.001)) + 3) / 3) * (last - first);
}

/** Tenths around all intervals. */
function rangeOf(methods: readonly MethodRow[]): readonly [low: number, high: number] {
  const low = Math.min(...methods.map(({ accuracy }) => accuracy.low));
  const high = Math.max(...methods.map(({ accuracy }) => accuracy.high));
  return [Math.floor(10 * low - 0.3) / 10, Math.ceil(10 * high) / 10];
}

const levelsBetween = (low: number, high: number): readonly number[] =>
  Array.from({ length: Math.round(10 * (high - low)) + 1 }, (_, i) => low + i / 10).filter((share) => share >= 0);

/** Names stand above all bars, in two rows in turn, since neighbours are close. */
function mark({ method, accuracy, trainable_ratio }: MethodRow, index: number, yOf: (share: number) => number): string {
  const x = xOf(trainable_ratio);
  const [top, bottom] = [yOf(accuracy.high), yOf(accuracy.low)];
  const bar = line({ from: [x, top], to: [x, bottom] }, "var(--mark)", 2);
  const point = `<circle cx="${x.toFixed(1)}" cy="${yOf(accuracy.share).toFixed(1)}" r="5" fill="var(--mark)"/>`;
  const name = label(x, index % 2 === 0 ? 14 : 32, x > area.right - 30 ? "end" : "middle", method);
  return `<g><title>${plainHtml(`${method}: ${shareText(accuracy)}`)}</title>${bar}${point}${name}</g>`;
}

const bars = { left: 110, right: 400, step: 32, top: 14 };

/** The rise of the base's own masked-LM loss, a bar a method; undefined where it was not measured. */
export function forgettingFigure({ methods, own_task }: Pick<TourResult, "methods" | "own_task">): string | undefined {
  if (!own_task) return undefined;
  const rises = methods.map(({ method, masked_lm_loss }) => ({ method, rise: (masked_lm_loss ?? 0) - own_task.loss }));
  const least = Math.min(0, ...rises.map(({ rise }) => rise));
  const span = Math.max(1e-9, ...rises.map(({ rise }) => rise)) - least;
  const riseAt = (rise: number) => bars.left + ((rise - least) / span) * (bars.right - bars.left);
  const rows = rises.flatMap(({ method, rise }, i) => {
    const y = bars.top + i * bars.step;
    const [from, to] = [Math.min(riseAt(0), riseAt(rise)), Math.max(riseAt(0), riseAt(rise))];
    return [
      label(bars.left - 8, y + 15, "end", method),
      `<rect x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="20" fill="var(--mark)"/>`,
      label(to + 6, y + 15, "start", signedRise(rise)),
    ];
  });
  const height = bars.top + rises.length * bars.step;
  return figure(height + 8, "forgetting of each method", [
    ...rows,
    line({ from: [riseAt(0), 4], to: [riseAt(0), height] }, "var(--ink)", 1),
  ]);
}

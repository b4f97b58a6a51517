// Draws what a pretrained model's metrics.jsonl tells, the loss of its batches and of its held-out rows, to curve.svg.
//   node scripts/draw-curve.mjs models/petl-mini-decoder 6.6647
// The second argument is the held-out loss of a model that knows only how often each token comes.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { figure, label, line, svgFile } from "../packages/petl/dist/demo/svg.js";

const [folder = "", unigram = ""] = process.argv.slice(2);
const text = await readFile(join(folder, "metrics.jsonl"), "utf8");
const metrics = text
  .trim()
  .split("\n")
  .map((each) => JSON.parse(each));
const heldOut = metrics.flatMap(({ step, evaluation }) => (evaluation ? [[step, evaluation.loss]] : []));
const batches = smoothed(metrics.flatMap(({ step, loss }) => (loss === undefined ? [] : [[step, loss]])));

const area = { left: 40, right: 470, top: 12, bottom: 240 };
const last = Math.max(...batches.map(([step]) => step));
const levels = [...batches, ...heldOut].map(([, loss]) => loss).concat(Number(unigram));
const [low, high] = [Math.floor(Math.min(...levels)), Math.ceil(Math.max(...levels))];
/** @type {(point: readonly number[]) => [x: number, y: number]} */
const at = ([step, loss]) => [
  area.left + (step / last) * (area.right - area.left),
  area.bottom - ((loss - low) / (high - low)) * (area.bottom - area.top),
];
const across = (loss, color) => line({ from: at([0, loss]), to: at([last, loss]) }, color, 1);
const parts = [
  ...Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((loss) => [
    across(loss, "var(--line)"),
    label(area.left - 6, at([0, loss])[1] + 5, "end", String(loss)),
  ]),
  across(Number(unigram), "var(--ink)"),
  label(area.right, at([last, Number(unigram)])[1] - 6, "end", `unigrams ${unigram}`),
  `<path d="M${batches
    .map((point) =>
      at(point)
        .map((x) => x.toFixed(1))
        .join(" "),
    )
    .join("L")}" fill="none" stroke="var(--quiet)"/>`,
  ...heldOut.map(
    (point) => `<circle cx="${at(point)[0].toFixed(1)}" cy="${at(point)[1].toFixed(1)}" r="5" fill="var(--mark)"/>`,
  ),
  label(
    (area.left + area.right) / 2,
    area.bottom + 24,
    "middle",
    `loss over ${last} steps: batches (line), held out (points)`,
  ),
];
await writeFile(join(folder, "curve.svg"), `${svgFile(figure(276, "loss while pretraining", parts))}\n`);

/** Means of neighbours, about a hundred points. */
function smoothed(points) {
  const width = Math.ceil(points.length / 100);
  return Array.from({ length: Math.ceil(points.length / width) }, (_, i) => {
    const part = points.slice(i * width, (i + 1) * width);
    const mean = (axis) => part.reduce((sum, point) => sum + point[axis], 0) / part.length;
    return [mean(0), mean(1)];
  });
}

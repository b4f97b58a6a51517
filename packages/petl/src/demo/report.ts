import type { MethodRow, TourResult } from "./tour.ts";
import { baseText, cellsOf, columns, findings, percent, shareText, targetText } from "./words.ts";

/** The tour as one page that needs nothing else: the table, a figure, what every adapter answered. */
export function reportPage(result: TourResult): string {
  const { base, target, rows, asked } = result;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>petl demo</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>petl demo</h1>
<p>${escaped(baseText(base))}.</p>
<p>${escaped(targetText(target))}.</p>
<figure>${figure(rows)}
<figcaption>Accuracy on held-out rows against the share of the base's parameters that is trained (without the head); bars are 95 % intervals.</figcaption>
</figure>
<div class="wide">${table(columns, rows.map(cellsOf))}</div>
<h2>What this run says</h2>
<ul>${findings(result)
    .map((text) => `<li>${escaped(text)}</li>`)
    .join("")}</ul>
<h2>One base, several adapters</h2>
${asked.map(({ text, answers }) => `<p class="asked">${escaped(text)}</p><div class="wide">${table(["method", "label", "score"], answers.map(answerCells))}</div>`).join("\n")}
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5a6675; --line: #d5dbe3; --back: #fff; --mark: #0b62b0;
  --control: #a4500a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #9aa6b5; --line: #38424f; --back: #14181d;
  --mark: #6db3f2; --control: #f0a45d; } }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
figure { margin: 1.5rem 0; } figcaption { color: var(--quiet); font-size: .875rem; }
svg { display: block; width: 100%; max-width: 36rem; height: auto; } svg text { fill: var(--ink); font: 15px system-ui, sans-serif; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
.asked { margin-bottom: .2rem; font-weight: 600; }
`;

const answerCells = ({ method, label, score }: TourResult["asked"][number]["answers"][number]) => [
  method,
  label,
  percent(score),
];

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? "&quot;");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line(head, "th")}</thead><tbody>${rows.map((cells) => line(cells, "td")).join("")}</tbody></table>`;
}

/** drawn for the width of a phone, so that its letters are still large there */
const area = { left: 54, right: 472, top: 16, bottom: 300 };
/** shares of the base on the axis; what trains none of it stands left of them */
const decades = [0.001, 0.01, 0.1, 1];

const yOf = (share: number) => area.bottom - share * (area.bottom - area.top);

function xOf(ratio: number): number {
  const [first, last] = [area.left + 104, area.right - 46];
  return ratio < 0.001 ? area.left + 46 : first + ((Math.log10(ratio) + 3) / 3) * (last - first);
}

const label = (x: number, y: number, anchor: "start" | "middle" | "end", text: string) =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(text)}</text>`;

const rule = (x1: number, x2: number, y1: number, y2: number, color: string, width: number) =>
  `<path d="M${x1.toFixed(1)} ${y1.toFixed(1)}L${x2.toFixed(1)} ${y2.toFixed(1)}" stroke="${color}" stroke-width="${width}"/>`;

/** Accuracy against the trained share, on a logarithmic axis. */
function figure(rows: readonly MethodRow[]): string {
  const levels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = yOf(share);
    return rule(area.left, area.right, y, y, "var(--line)", 1) + label(area.left - 6, y + 5, "end", `${100 * share} %`);
  });
  const ticks = [[0, "head only"] as const, ...decades.map((ratio) => [ratio, `${100 * ratio} %`] as const)];
  const key = `<text x="${area.left}" y="356"><tspan fill="var(--mark)">●</tspan> trained base  <tspan fill="var(--control)">○</tspan> untrained base</text>`;
  const parts = [
    ...levels,
    ...ticks.map(([ratio, text]) => label(xOf(ratio), area.bottom + 22, "middle", text)),
    ...rows.filter(({ base }) => base === "untrained").map(controlMark),
    ...rows.filter(({ base }) => base === "trained").map(trainedMark),
  ];
  return `<svg viewBox="0 0 480 370" role="img" aria-label="accuracy against trained share">${parts.join("")}${key}</svg>`;
}

/** Names stand above and below their bars in turn, since neighbours are close. */
function trainedMark(row: MethodRow, index: number): string {
  const { low, high } = row.accuracy;
  const x = xOf(row.trainable_ratio) + 4;
  const y = index % 2 === 0 ? yOf(high) - 6 : yOf(low) + 17;
  return mark(row, x, "var(--mark)", "var(--mark)", label(x, y, "middle", row.method));
}

function controlMark(row: MethodRow): string {
  const x = xOf(row.trainable_ratio) - 4;
  return mark(row, x, "var(--control)", "var(--back)", label(x - 9, yOf(row.accuracy.share) + 5, "end", row.method));
}

function mark({ base, accuracy, method }: MethodRow, x: number, color: string, fill: string, name: string): string {
  const bar = rule(x, x, yOf(accuracy.low), yOf(accuracy.high), color, 2);
  const point = `<circle cx="${x.toFixed(1)}" cy="${yOf(accuracy.share).toFixed(1)}" r="5" fill="${fill}" stroke="${color}" stroke-width="2"/>`;
  return `<g><title>${escaped(`${method}, ${base} base: ${shareText(accuracy)}`)}</title>${bar}${point}${name}</g>`;
}

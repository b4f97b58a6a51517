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
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
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

const area = { left: 48, right: 592, top: 16, bottom: 300 };
/** shares of the base on the axis; what trains none of it stands left of them */
const decades = [0.001, 0.01, 0.1, 1];

const yOf = (share: number) => area.bottom - share * (area.bottom - area.top);

function xOf(ratio: number): number {
  const first = area.left + 110;
  return ratio < 0.001 ? area.left + 50 : first + ((Math.log10(ratio) + 3) / 3) * (area.right - 70 - first);
}

/** Accuracy against the trained share, on a logarithmic axis. */
function figure(rows: readonly MethodRow[]): string {
  const levels = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${area.left}" x2="${area.right}" y1="${yOf(share)}" y2="${yOf(share)}" stroke="var(--line)"/><text x="${area.left - 6}" y="${yOf(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const ticks = [[0, "head only"] as const, ...decades.map((ratio) => [ratio, `${100 * ratio} %`] as const)].map(
    ([ratio, text]) => `<text x="${xOf(ratio)}" y="${area.bottom + 20}" text-anchor="middle">${text}</text>`,
  );
  const key = `<text x="${area.left}" y="340"><tspan fill="var(--mark)">●</tspan> trained base   <tspan fill="var(--control)">○</tspan> untrained base</text>`;
  return `<svg viewBox="0 0 600 350" role="img" aria-label="accuracy against trained share">${[...levels, ...ticks, ...rows.map(mark), key].join("")}</svg>`;
}

function mark(row: MethodRow): string {
  const { base, accuracy, method, trainable_ratio } = row;
  const isTrained = base === "trained";
  const [x, y] = [xOf(trainable_ratio) + (isTrained ? 4 : -4), yOf(accuracy.share)];
  const [color, fill] = isTrained ? ["var(--mark)", "var(--mark)"] : ["var(--control)", "var(--back)"];
  const bar = `<line x1="${x}" x2="${x}" y1="${yOf(accuracy.low)}" y2="${yOf(accuracy.high)}" stroke="${color}" stroke-width="2"/>`;
  const name = `<text x="${isTrained ? x + 9 : x - 9}" y="${y + 4}" text-anchor="${isTrained ? "start" : "end"}">${escaped(method)}</text>`;
  return `<g><title>${escaped(`${method}, ${base} base: ${shareText(accuracy)}`)}</title>${bar}<circle cx="${x}" cy="${y}" r="5" fill="${fill}" stroke="${color}" stroke-width="2"/>${name}</g>`;
}

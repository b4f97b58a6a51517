import { type Figure, type Summary, tableOf } from "@petl/core";

/** A figure that has been drawn. */
interface DrawnFigure {
  readonly figure: Figure;
  readonly svg: string;
}

/** The colours of figures and page, light and dark. */
const palette = `:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5a6675; --line: #d5dbe3; --back: #fff; --mark: #0b62b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #9aa6b5; --line: #38424f; --back: #14181d; --mark: #6db3f2; } }`;

const style = `
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } .quiet { color: var(--quiet); }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; margin-bottom: .5rem; }
figure svg { display: block; width: 100%; min-width: 32rem; max-width: 40rem; height: auto; color: var(--ink); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th { white-space: nowrap; } summary { cursor: pointer; }
`;

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "&#39;");

/** A figure as a file of its own, with its colours and a ground. */
export const standalone = (svg: string): string =>
  svg.replace(/>/, `><style>${palette} svg { color: var(--ink); background: var(--back); }</style>`);

/** A study as one page that needs nothing else: findings, figures with their numbers, every cell. */
export function reportPage(summary: Summary, figures: readonly DrawnFigure[]): string {
  const { study, question, source, settings, findings, rows } = summary;
  const settled = Object.entries(settings).map(([name, value]) => [name.replaceAll("_", " "), textOf(value)]);
  const cells = rows.map(({ cell, mean, low, high, seeds }) => [
    Object.entries(cell)
      .map(([name, value]) => `${name} ${textOf(value)}`)
      .join(", "),
    ...[mean, low, high].map((value) => String(Number(value.toPrecision(4)))),
    String(seeds),
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>petl study ${escaped(study)}</title>
<style>${palette}${style}</style>
</head>
<body>
<main>
<h1>${escaped(question)}</h1>
<p class="quiet">petl study ${escaped(study)} · ${escaped(source)}</p>
<h2>What the numbers say</h2>
${table(
  ["claim", "holds", "evidence"],
  findings.map(({ claim, holds, evidence }) => [
    claim,
    holds === true ? "yes" : holds === false ? "no" : holds,
    evidence,
  ]),
)}
${figures.map(figurePart).join("\n")}
<h2>Every cell</h2>
<p class="quiet">Means over seeds; low and high bound them with 95 % confidence, over seeds and scoring rows together.</p>
${table(["cell", "mean", "low", "high", "seeds"], cells)}
<h2>Settings</h2>
${table(["setting", "value"], settled)}
</main>
</body>
</html>
`;
}

function figurePart({ figure, svg }: DrawnFigure): string {
  const { columns, rows } = tableOf(figure);
  return `<figure><figcaption>${escaped(figure.title)}</figcaption><div class="wide" tabindex="0">${svg}</div>
<details open><summary>The same numbers as a table</summary>${table(columns, rows)}</details></figure>`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const heads = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`).join("\n");
  return `<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

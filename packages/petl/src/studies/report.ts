import { type Figure, type Summary, tableOf, takenText } from "@petl/core";
import { htmlTable, page, palette, plainHtml } from "../reports/page.ts";

/** A figure that has been drawn. */
interface DrawnFigure {
  readonly figure: Figure;
  readonly svg: string;
}

/** A figure as a file of its own, with its colours and a ground. */
export const figureFile = (svg: string): string =>
  svg.replace(/>/, `><style>${palette} svg { color: var(--ink); background: var(--back); }</style>`);

/** A study as one page that needs nothing else: findings, figures with their numbers, every cell. */
export function studyPage(summary: Summary, figures: readonly DrawnFigure[]): string {
  const { study, question, source, settings, findings, rows, table: side, taken = [] } = summary;
  const settled = Object.entries(settings).map(([name, value]) => [name.replaceAll("_", " "), textOf(value)]);
  const cells = rows.map(({ cell, mean, low, high, seeds }) => [
    Object.entries(cell)
      .map(([name, value]) => `${name} ${textOf(value)}`)
      .join(", "),
    ...[mean, low, high].map((value) => String(Number(value.toPrecision(4)))),
    String(seeds),
  ]);
  return page(
    `petl study ${study}`,
    `<h1>${plainHtml(question)}</h1>
<p class="quiet">petl study ${plainHtml(study)} · ${plainHtml(source)}</p>
<h2>What the numbers say</h2>
${htmlTable(
  ["claim", "holds", "evidence"],
  findings.map(({ claim, holds, evidence }) => [
    claim,
    holds === true ? "yes" : holds === false ? "no" : holds,
    evidence,
  ]),
)}
${side ? `<h2>Side by side</h2>${htmlTable(side.columns, side.rows)}` : ""}
${figures.map(figurePart).join("\n")}
<h2>Every cell</h2>
${taken.map((each) => `<p class="quiet">${plainHtml(takenText(each))}: times and memory are of that training.</p>`).join("")}<p class="quiet">Means over seeds; low and high bound them with 95 % confidence, over seeds and scoring rows together.</p>
${htmlTable(["cell", "mean", "low", "high", "seeds"], cells)}
<h2>Settings</h2>
${htmlTable(["setting", "value"], settled)}`,
  );
}

function figurePart({ figure, svg }: DrawnFigure): string {
  const { columns, rows } = tableOf(figure);
  return `<figure><figcaption>${plainHtml(figure.title)}</figcaption><div class="wide" tabindex="0">${svg}</div>
<details open><summary>The same numbers as a table</summary>${htmlTable(columns, rows)}</details></figure>`;
}

function textOf(value: unknown): string {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

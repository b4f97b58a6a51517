import { palette, plainHtml } from "../reports/page.ts";
import { accuracyFigure, forgettingFigure } from "./figures.ts";
import type { TourResult } from "./tour.ts";
import {
  baseText,
  cellsOf,
  columns,
  findings,
  furtherCells,
  furtherColumns,
  meanings,
  percent,
  taskText,
} from "./words.ts";

/** The tour as one page that needs nothing else: figures, tables, what every adapter answered, what to try next. */
export function tourPage(result: TourResult, next: readonly string[]): string {
  const { methods, further, one_base } = result;
  const forgetting = forgettingFigure(result);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>petl demo</title>
<style>${palette}${style}</style>
</head>
<body>
<main>
<h1>petl demo</h1>
<p>Several ways to teach one small language model a task, side by side: the same rows, the same seeds and 16 rows a step for each,
its rate and its epochs as the list below says. The words on this page:</p>
<dl>${meanings.map(([word, meaning]) => `<dt>${plainHtml(word)}</dt><dd>${plainHtml(meaning)}</dd>`).join("")}</dl>
<p>${plainHtml(baseText(result))}.</p>
<p>${plainHtml(taskText(result))}.</p>
${captioned(accuracyFigure(result), "Accuracy on test rows; bars are 95 % intervals, and the axis does not begin at 0.")}
<div class="wide">${table(
    columns,
    methods.map((row) => cellsOf(row, result)),
  )}</div>
${forgetting ? captioned(forgetting, "Forgetting: how much the base's own masked-LM loss rises under each method's trained body.") : ""}
<h2>What this run says</h2>
<ul>${findings(result)
    .map((text) => `<li>${plainHtml(text)}</li>`)
    .join("")}</ul>
<h2>More adapters on the same base</h2>
<div class="wide">${table(furtherColumns, further.map(furtherCells))}</div>
<h2>One message, three tasks</h2>
${one_base.tasks.map(askedPart).join("\n")}
<h2>One message, two users</h2>
${one_base.users.map(askedPart).join("\n")}
<h2>Try next</h2>
${next.map((command) => `<pre>${plainHtml(command)}</pre>`).join("\n")}
</main>
</body>
</html>
`;
}

const style = `
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
figure { margin: 1.5rem 0; } figcaption { color: var(--quiet); font-size: .875rem; }
svg { display: block; width: 100%; max-width: 36rem; height: auto; } svg text { fill: var(--ink); font: 15px system-ui, sans-serif; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
dl { margin: 0 0 1rem; } dt { font-weight: 600; } dd { margin: 0 0 .4rem; color: var(--quiet); } ul { padding-left: 1.2rem; } .asked { margin-bottom: .2rem; font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 4px; padding: .6rem; font-size: .85rem; }
`;

const captioned = (svg: string, caption: string) =>
  `<figure>${svg}<figcaption>${plainHtml(caption)}</figcaption></figure>`;

function askedPart({ text, answers }: TourResult["one_base"]["tasks"][number]): string {
  const cells = answers.map(({ adapter, label, score }) => [adapter, String(label), percent(score)]);
  return `<p class="asked">${plainHtml(text)}</p><div class="wide">${table(["adapter", "label", "score"], cells)}</div>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${plainHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table>`;
}

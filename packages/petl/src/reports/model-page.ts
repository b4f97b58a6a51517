import { type CardPart, drawFigure, type Evaluation, type Figure } from "@petl/core";
import { htmlTable, page, plainHtml } from "./page.ts";
import type { WorstRow } from "./worst-rows.ts";

/** What a report of a model shows. */
export interface ModelReport {
  readonly title: string;
  /** one line under it */
  readonly subtitle: string;
  readonly figures: readonly Figure[];
  readonly evaluation: Evaluation | null;
  readonly worst: readonly WorstRow[];
  /** what to try next, in words */
  readonly advice: readonly string[];
  readonly card: readonly CardPart[];
}

/** More classes than these make a table that nobody reads. */
const mostClasses = 40;

/** A model and its scores as one HTML page that needs nothing else. */
export async function modelPage(report: ModelReport): Promise<string> {
  const { title, subtitle, evaluation, worst, advice, card } = report;
  const figures = await Promise.all(report.figures.map(async (figure) => ({ figure, svg: await drawFigure(figure) })));
  const parts = [
    `<h1>${plainHtml(title)}</h1>`,
    `<p class="quiet">${plainHtml(subtitle)}</p>`,
    ...(advice.length > 0 ? [`<h2>What to try next</h2><ul>${advice.map(item).join("")}</ul>`] : []),
    ...figures.map(
      ({ figure, svg }) =>
        `<figure><figcaption>${plainHtml(figure.title)}</figcaption><div class="wide" tabindex="0">${svg}</div></figure>`,
    ),
    ...(evaluation ? [confusionPart(evaluation)] : []),
    ...(worst.length > 0 ? [worstPart(worst)] : []),
    "<h2>Model card</h2>",
    ...card.map(cardPart),
  ];
  return page(title, parts.join("\n"));
}

const item = (text: string): string => `<li>${plainHtml(text)}</li>`;

/** Which label was taken for which, each row shaded by its shares. */
function confusionPart({ confusion, per_class: classes }: Evaluation): string {
  if (!confusion || !classes || classes.length > mostClasses) return "";
  const names = classes.map(({ label }) => String(label));
  const heads = ["true \\ predicted", ...names].map((name) => `<th scope="col">${plainHtml(name)}</th>`).join("");
  const rows = confusion.map((counts, row) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map(
      (count) => `<td class="count" style="--share: ${all === 0 ? 0 : (count / all).toFixed(3)}">${count}</td>`,
    );
    return `<tr><th scope="row">${plainHtml(names[row] ?? "")}</th>${cells.join("")}</tr>`;
  });
  return `<h2>Which label was taken for which</h2>
<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>`;
}

const worstPart = (rows: readonly WorstRow[]): string =>
  `<h2>The rows that it answers worst</h2>
<p class="quiet">A label may be wrong, a text cut or unlike the others: reading these rows often helps more than training longer.</p>
${htmlTable(
  ["text", "label", "answer", "probability of the label, or distance", "row"],
  rows.map(({ place, text, label, answer, figure }) => [shortened(text), label, answer, figure.toFixed(3), place]),
)}`;

const shortened = (text: string): string => (text.length <= 400 ? text : `${text.slice(0, 400)} …`);

function cardPart(part: CardPart): string {
  if ("heading" in part) return `<h2>${plainHtml(part.heading)}</h2>`;
  if ("sentence" in part) return `<p>${plainHtml(part.sentence)}</p>`;
  if ("code" in part) return `<pre><code>${plainHtml(part.code)}</code></pre>`;
  return htmlTable(part.columns, part.rows);
}

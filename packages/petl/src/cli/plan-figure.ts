import type { MethodPlan, PlacedPlan, Places } from "@petl/core";
import { label, line, svgFile } from "../demo/svg.ts";
import { plainHtml } from "../reports/page.ts";
import { percentText, sizeText } from "./plan-words.ts";

const columns = { name: 112, stack: 122, stackEnd: 372, bars: 392, barsEnd: 592, end: 712 };
const row = { height: 30, top: 92 };

/**
 * Where in the stack each method's Φ lies and how large it is beside Θ, as an SVG file: a row a method, a cell for what
 * lies outside the layers, for each layer and for the head, darker the larger the share of the cell that is trained.
 */
export function planFigure({ plan, base, placed }: PlacedPlan): string {
  const height = row.top + plan.plans.length * row.height + 34;
  const parts = [
    label(
      12,
      28,
      "start",
      `${plan.base.architecture}: ${plan.base.base_parameters.toLocaleString("en-US")} parameters`,
    ),
    label((columns.stack + columns.stackEnd) / 2, 56, "middle", "trained share of each layer"),
    label((columns.bars + columns.barsEnd) / 2, 56, "middle", "Φ beside Θ, parameters"),
    label(columns.stack, 80, "start", "outside"),
    label(columns.stackEnd, 80, "end", "head"),
    ...axis(plan.base.base_parameters, height - 30),
    ...plan.plans.flatMap((each, i) => methodRow(each, placed[i], base, plan.base.base_parameters, i)),
  ];
  const title = `where each method trains this ${plan.base.architecture}, and how much`;
  return svgFile(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns.end} ${height}" role="img" aria-label="${plainHtml(title)}">${parts.join("")}</svg>`,
  );
}

/** Powers of a thousand up to the base, on a logarithmic axis that begins at 100. */
function axis(base: number, bottom: number): readonly string[] {
  const ticks = [1e3, 1e6, 1e9, 1e12].filter((count) => count < base / 3);
  return [...ticks.map((count) => [count, countText(count)] as const), [base, "Θ"] as const].flatMap(
    ([count, text]) => [
      line({ from: [barEnd(count, base), row.top - 8], to: [barEnd(count, base), bottom] }, "var(--line)", 1),
      label(barEnd(count, base), 80, "middle", text),
    ],
  );
}

const countText = (count: number): string =>
  ({ 1e3: "1 k", 1e6: "1 M", 1e9: "1 G", 1e12: "1 T" })[count] ?? String(count);

const least = 100;

function barEnd(count: number, base: number): number {
  const share = Math.log(Math.max(count, least) / least) / Math.log(Math.max(base, 10 * least) / least);
  return columns.bars + share * (columns.barsEnd - columns.bars);
}

function methodRow(
  { method, options, trained_parameters, trainable_ratio, adapter_bytes }: MethodPlan,
  places: Places | undefined,
  base: Places,
  baseParameters: number,
  index: number,
): readonly string[] {
  const y = row.top + index * row.height;
  const middle = y + 15;
  if (options === null || !places)
    return [label(columns.name, middle, "end", method), label(columns.stack, middle, "start", "not possible")];
  const width = barEnd(trained_parameters, baseParameters) - columns.bars;
  return [
    label(columns.name, middle, "end", method),
    ...cells(places, base, y),
    `<rect x="${columns.bars}" y="${y}" width="${Math.max(1, width).toFixed(1)}" height="20" fill="var(--mark)"><title>${plainHtml(`${method}: ${trained_parameters.toLocaleString("en-US")} trained, ${sizeText(adapter_bytes)} on the disk`)}</title></rect>`,
    label(columns.barsEnd + 10, middle, "start", percentText(trainable_ratio)),
  ];
}

/** A cell for what lies outside the layers, one for each layer, one for the head. */
function cells(places: Places, base: Places, y: number): readonly string[] {
  const own = [places.outside, ...places.layers, places.head];
  const all = [base.outside, ...base.layers, base.head];
  const width = (columns.stackEnd - columns.stack) / own.length;
  return own.map((count, at) => {
    const x = columns.stack + at * width;
    const shade = shadeOf(count, all[at] ?? 0);
    return `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - (width > 4 ? 1.5 : 0)).toFixed(1)}" height="20" fill="var(--mark)" fill-opacity="${shade.toFixed(2)}" stroke="var(--line)" stroke-width="0.5"/>`;
  });
}

/** How dark a cell is: 1 where all of it is trained, a quarter less for each power of ten. */
export function shadeOf(count: number, all: number): number {
  if (count <= 0) return 0;
  const share = all > 0 ? Math.min(1, count / all) : 1;
  return Math.max(0.12, 1 + Math.log10(share) / 4.5);
}

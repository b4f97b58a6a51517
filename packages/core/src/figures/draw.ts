import { InternalError } from "../errors.ts";
import { bareDocument, isElement, markup } from "./bare-document.ts";
import type { Figure } from "./figure.ts";
import { namesBeside } from "./names-beside.ts";

/** The part of Observable Plot that figures are drawn with. */
interface Charts {
  plot(options: object): unknown;
  axisX(ticksOrOptions: object, options?: object): unknown;
  axisY(options: object): unknown;
  cell(data: readonly object[], options: object): unknown;
  dot(data: readonly object[], options: object): unknown;
  frame(): unknown;
  gridX(options: object): unknown;
  gridY(options: object): unknown;
  line(data: readonly object[], options: object): unknown;
  ruleX(data: readonly object[], options: object): unknown;
  ruleY(data: readonly object[], options: object): unknown;
  text(data: readonly object[], options: object): unknown;
}

/**
 * Draws a figure as SVG, in the colour of the text around it, so that it is read in light, in dark and in grey. The library
 * that draws is loaded with the first figure.
 */
export async function drawFigure(figure: Figure): Promise<string> {
  const charts: Charts = await import("@observablehq/plot");
  const drawn = charts.plot({
    width: 640,
    style: { "font-size": "13px", background: "none", overflow: "visible" },
    document: bareDocument(),
    ariaLabel: figure.title,
    ...optionsOf(charts, figure),
  });
  if (!isElement(drawn)) throw new InternalError("a figure should be one element");
  return markup(drawn).replace("<svg ", `<svg xmlns="http://www.w3.org/2000/svg" role="img" `);
}

type Of<K extends Figure["kind"]> = Extract<Figure, { kind: K }>;

function optionsOf(charts: Charts, figure: Figure): object {
  switch (figure.kind) {
    case "points":
      return pointOptions(charts, figure);
    case "categories":
      return categoryOptions(charts, figure);
    case "heatmap":
      return heatmapOptions(charts, figure);
  }
}

/** Marks and dashes that are told apart without colour. */
const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye", "asterisk"] as const;
const dashes = ["0", "6 3", "2 3", "8 3 2 3", "1 5", "12 4"] as const;

function pointOptions(charts: Charts, { points, x, y }: Of<"points">): object {
  const names = [...new Set(points.flatMap(({ series }) => series ?? []))];
  const own = names.length === 0 ? [undefined] : names;
  const counts = fewCounts(points, x.log === true);
  const isShared = new Set(points.map((point) => point.x)).size < points.length;
  const marks = own.flatMap((name, at) => {
    const chosen = points.filter(({ series }) => series === name).sort((a, b) => a.x - b.x);
    const bounded = chosen.filter(({ low, high }) => low !== undefined && high !== undefined);
    const dx = isShared ? 5 * (at - (own.length - 1) / 2) : 0; // intervals at one place stand beside each other
    const symbol = symbols[at % symbols.length];
    const dash = dashes[at % dashes.length];
    const key = [{ name: name ?? "" }];
    return [
      charts.ruleX(bounded, { x: "x", y1: "low", y2: "high", dx, stroke: "currentColor", strokeOpacity: 0.55 }),
      ...(name === undefined
        ? []
        : [charts.line(chosen, { x: "x", y: "y", dx, stroke: "currentColor", strokeDasharray: dash })]),
      charts.dot(chosen, { x: "x", y: "y", dx, symbol, fill: "currentColor", r: 4.5 }),
      ...(name === undefined
        ? []
        : [
            charts.dot(key, {
              frameAnchor: "top-right",
              dx: 18,
              dy: 8 + 20 * at,
              symbol,
              fill: "currentColor",
              r: 4.5,
            }),
            charts.text(key, { ...besideKey(at), text: "name" }),
          ]),
    ];
  });
  return {
    height: 400,
    marginLeft: 64,
    marginBottom: 48,
    marginTop: 28,
    inset: 8,
    marginRight: names.length === 0 ? 90 : 40 + 8 * Math.max(...names.map(({ length }) => length)),
    x: {
      label: x.label,
      labelAnchor: "center",
      labelArrow: "none",
      type: x.log ? "log" : "linear",
      ...(points.every((point) => point.x < 1) && x.log && { tickFormat: "~e" }),
    },
    y: { label: y.label, labelArrow: "none", type: y.log ? "log" : "linear" },
    marks: [
      charts.gridX({ strokeOpacity: 0.15, ...(counts && { ticks: counts }) }),
      ...(counts ? [charts.axisX(counts, { text: (count: number) => String(count) })] : []), // any format leaves some out
      charts.gridY({ strokeOpacity: 0.15 }),
      ...marks,
      ...namesBeside(points, x.log === true).map(({ point, place }) =>
        charts.text([point], { ...place, x: "x", y: "y", text: "name", fill: "currentColor" }),
      ),
    ],
  };
}

/** The places of a few whole numbers, which are the only ticks that mean anything; on a logarithmic axis, where they are apart. */
function fewCounts(points: Of<"points">["points"], isLog: boolean): readonly number[] | undefined {
  const places = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  if (places.length > 12 || !places.every(Number.isInteger)) return undefined;
  const areApart = places.every((place, at) => place < 1e4 && place >= 1.4 * (places[at - 1] ?? 0));
  return isLog && !areApart ? undefined : places;
}

const besideKey = (at: number) => ({
  frameAnchor: "top-right",
  dx: 28,
  dy: 8 + 20 * at,
  textAnchor: "start",
  lineAnchor: "middle",
  fill: "currentColor",
});

function categoryOptions(charts: Charts, { items, y }: Of<"categories">): object {
  const longest = Math.max(4, ...items.map(({ name }) => name.length));
  return {
    height: 80 + 30 * items.length,
    marginLeft: Math.min(260, 24 + 8 * longest),
    marginRight: 60,
    marginBottom: 48,
    insetLeft: 8,
    insetRight: 8,
    x: { label: y, labelAnchor: "center", labelArrow: "none" },
    y: { label: null, type: "band", domain: items.map(({ name }) => name), tickSize: 0 },
    marks: [
      charts.gridX({ strokeOpacity: 0.15 }),
      charts.ruleY(items, { y: "name", x1: "low", x2: "high", stroke: "currentColor", strokeWidth: 1.5 }),
      charts.dot(items, { y: "name", x: "mean", fill: "currentColor", r: 5 }),
    ],
  };
}

/** Three digits behind the point, without a sign where all are 0. */
const changeText = (value: number): string =>
  value
    .toFixed(3)
    .replace(/^-(?=.*[1-9])/, "−")
    .replace(/^-/, "");

/** Below the diagonal of a heatmap of spans, where no cell is. */
const besideCells = { frameAnchor: "bottom-left", dx: 4, dy: -6, textAnchor: "start", fill: "currentColor" };

function heatmapOptions(charts: Charts, { cells, x, y, value }: Of<"heatmap">): object {
  const values = cells.map((cell) => cell.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (each: number) => (high === low ? 0 : (high - each) / (high - low)); // the lowest is the darkest
  const [columns, rows] = [[...new Set(cells.map((cell) => cell.x))], [...new Set(cells.map((cell) => cell.y))]];
  const shown = cells.map((cell) => ({ ...cell, label: changeText(cell.value) }));
  const ink = (cell: { readonly value: number }) => (share(cell.value) > 0.55 ? "white" : "black");
  return {
    height: 110 + Math.min(60, 480 / columns.length) * rows.length,
    marginLeft: 70,
    marginBottom: 50,
    marginTop: 30,
    x: { label: x, labelAnchor: "center", labelArrow: "none", type: "band", domain: columns },
    y: { label: y, labelArrow: "none", type: "band", domain: rows },
    color: { type: "linear", scheme: "blues", reverse: true, domain: [low, low === high ? low + 1 : high] },
    caption: undefined,
    marks: [
      charts.cell(shown, { x: "x", y: "y", fill: "value", stroke: "currentColor", strokeOpacity: 0.3, inset: 0.5 }),
      charts.text([{ value }], { ...besideCells, text: "value" }),
      charts.text(shown, { x: "x", y: "y", text: "label", fill: ink, fontSize: columns.length > 8 ? 9 : 12 }),
    ],
  };
}

/** A number with its interval, where there is one. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** points of one series are joined by a line and share a mark */
  readonly series?: string | undefined;
  /** written beside the point */
  readonly name?: string | undefined;
}

/** An axis: what it counts, with its unit. */
interface Axis {
  readonly label: string;
  readonly log?: boolean;
}

interface Titled {
  /** the file's name without its ending */
  readonly name: string;
  readonly title: string;
}

/** What is to be drawn, as data: charts of three kinds. */
export type Figure = Titled &
  (
    | { readonly kind: "points"; readonly x: Axis; readonly y: Axis; readonly points: readonly Point[] }
    | {
        readonly kind: "categories";
        readonly y: string;
        readonly items: readonly {
          readonly name: string;
          readonly mean: number;
          readonly low: number;
          readonly high: number;
        }[];
      }
    | {
        readonly kind: "heatmap";
        readonly x: string;
        readonly y: string;
        /** what the values are, with their unit */
        readonly value: string;
        readonly cells: readonly { readonly x: string; readonly y: string; readonly value: number }[];
      }
  );

/** A figure's numbers as a table. */
export interface FigureTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The same numbers in words and digits, for those who cannot see the figure. */
export function tableOf(figure: Figure): FigureTable {
  switch (figure.kind) {
    case "points":
      return {
        columns: ["series", figure.x.label, figure.y.label, "low", "high"],
        rows: figure.points.map(({ series, name, x, y, low, high }) => [
          name ?? series ?? "",
          ...[x, y, low, high].map(digits),
        ]),
      };
    case "categories":
      return {
        columns: ["", figure.y, "low", "high"],
        rows: figure.items.map(({ name, mean, low, high }) => [name, ...[mean, low, high].map(digits)]),
      };
    case "heatmap":
      return {
        columns: [figure.y, figure.x, figure.value],
        rows: figure.cells.map(({ x, y, value }) => [y, x, digits(value)]),
      };
  }
}

function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

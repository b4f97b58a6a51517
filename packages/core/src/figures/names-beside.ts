import type { Point } from "./figure.ts";

/** Where a name stands beside its point, in pixels. */
interface Place {
  readonly dx: number;
  readonly dy: number;
  readonly textAnchor: "start" | "end";
}

const places: readonly Place[] = [
  { dx: 9, dy: -9, textAnchor: "start" },
  { dx: 9, dy: 12, textAnchor: "start" },
  { dx: -9, dy: -9, textAnchor: "end" },
  { dx: -9, dy: 12, textAnchor: "end" },
];

/** About the size of a letter, and of the frame that the points lie in. */
const [letter, line, width, height] = [8, 15, 470, 310];

/** Named points with a place for each name where it covers none that has its place already; the usual one where all are taken. */
export function namesBeside(
  points: readonly Point[],
  isLog: boolean,
): readonly { readonly point: Point; readonly place: Place }[] {
  const across = shareWithin(points.map(({ x }) => (isLog ? Math.log(x) : x)));
  const up = shareWithin(points.flatMap(({ y, low = y, high = y }) => [low, high]));
  const taken: { readonly left: number; readonly right: number; readonly middle: number }[] = [];
  return [...points]
    .filter(({ name }) => name !== undefined)
    .sort((a, b) => a.x - b.x)
    .map((point) => {
      const [x, y] = [width * across(isLog ? Math.log(point.x) : point.x), height * (1 - up(point.y))];
      const boxOf = ({ dx, dy, textAnchor }: Place) => {
        const long = letter * (point.name ?? "").length;
        const left = x + dx - (textAnchor === "end" ? long : 0);
        return { left, right: left + long, middle: y + dy };
      };
      const isFree = (tried: Place) => {
        const box = boxOf(tried);
        return taken.every(
          ({ left, right, middle }) => box.right < left || right < box.left || Math.abs(box.middle - middle) >= line,
        );
      };
      const place = places.find(isFree) ?? { dx: 9, dy: -9, textAnchor: "start" };
      taken.push(boxOf(place));
      return { point, place };
    });
}

/** Where a number lies between the smallest and the largest: 0 to 1. */
function shareWithin(values: readonly number[]): (value: number) => number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (value) => (high === low ? 0.5 : (value - low) / (high - low));
}

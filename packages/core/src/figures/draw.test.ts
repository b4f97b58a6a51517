import { expect, test } from "vitest";
import { drawFigure } from "./draw.ts";
import type { Point } from "./figure.ts";
import { namesBeside } from "./names-beside.ts";

const points = (xs: readonly number[], y = 0.5): readonly Point[] => xs.map((x) => ({ x, y, name: `method ${x}` }));

test("names of points that lie side by side stand in different places, and those far apart in the usual one", () => {
  const near = namesBeside([...points([10, 11, 1000]), { x: 1, y: 0.1 }], true);
  expect(near).toHaveLength(3); // a point without a name has none
  expect(near[0]?.place).not.toEqual(near[1]?.place);
  expect(near[2]?.place).toEqual(near[0]?.place);
});

const drawn = (xs: readonly number[]) =>
  drawFigure({
    kind: "points",
    name: "drawn",
    title: "drawn",
    x: { label: "rank", log: true },
    y: { label: "score" },
    points: points(xs),
  });

const labels = (svg: string) => [...svg.matchAll(/<text[^>]*>([\d,.k]+)<\/text>/g)].map(([, text]) => text);

test("on a logarithmic axis a few whole numbers are the ticks; many or close ones have the usual ticks", async () => {
  for (const xs of [
    [1, 4, 16, 64],
    [1, 8, 64],
    [75, 150, 300],
  ])
    expect(labels(await drawn(xs))).toEqual(expect.arrayContaining(xs.map(String)));
  expect(labels(await drawn([37, 38, 64]))).not.toContain("37");
});

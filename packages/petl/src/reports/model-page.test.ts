import { adaptTo, lora, train } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { openData } from "../library/open-data.ts";
import { openTiny, testFolder, writeRows } from "../library/open-tiny.fake.ts";
import { curveFigures, type MetricsLine } from "./curves.ts";
import { modelPage } from "./model-page.ts";
import { worstRows } from "./worst-rows.ts";

const folder = testFolder();
const base = await openTiny(folder);
afterAll(() => base.close());
const data = await openData(writeRows(folder, "rows.csv"), base, { validation: 0.25 });
const hostile = `<script>alert("x")</script>`;
const signal = { aborted: false, throwIfAborted: () => undefined };

const bare = {
  title: hostile,
  subtitle: hostile,
  figures: [],
  advice: [hostile],
  card: [{ columns: [hostile], rows: [[hostile]] }],
  worst: [{ place: hostile, text: hostile, label: hostile, answer: hostile, figure: 0.1 }],
};
const scores = { label: hostile, precision: 1, recall: 1, f1: 1, support: 1 };

test("a page runs and fetches nothing, whatever names and texts it shows", async () => {
  const html = await modelPage({
    ...bare,
    evaluation: { examples: 1, loss: 1, per_class: [scores], confusion: [[1]] },
  });
  expect(html).not.toContain("<script");
  expect(html).not.toMatch(/(?:src|href)=/);
  expect(html).toContain("default-src 'none'");
  expect(html.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(8);
});

test("the rows shown are those whose own label is given the smallest probability", async () => {
  const model = await adaptTo(base, lora({ rank: 2 }), data);
  const metrics: MetricsLine[] = [];
  for await (const event of train(model, data, { steps: 60, batch: 6, lr: 1e-2, evaluateEvery: 20 }))
    if (event.kind === "step" || event.kind === "evaluation") metrics.push(event);
  const all = await worstRows(model, data.validation, { count: 100, signal });
  expect(all).toHaveLength(data.validation.examples.length);
  expect(all.map(({ figure }) => figure)).toEqual(all.map(({ figure }) => figure).sort((a, b) => a - b));
  expect(await worstRows(model, data.validation, { count: 2, signal })).toEqual(all.slice(0, 2));
  const [loss] = curveFigures(metrics);
  const points = loss?.kind === "points" ? loss.points : [];
  expect(points.filter(({ series }) => series === "training")).toHaveLength(30); // 60 steps in stretches of two
  expect(points.filter(({ series }) => series === "held out")).toHaveLength(3);
});

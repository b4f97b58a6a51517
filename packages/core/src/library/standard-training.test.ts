import { expect, test } from "vitest";
import type { Example, ExampleSet } from "../data/rows/examples.ts";
import { lora } from "../peft/methods/lora/lora.ts";
import { methods } from "../peft/methods.ts";
import { standardTraining } from "./standard-training.ts";

const goal = { task: "classification", labels: 2 } as const;

const setOf = (examples: readonly Example[]): ExampleSet => ({
  name: "rows",
  examples,
  placeOf: (row) => `row ${row}`,
  columns: { text: "text" },
});
const texts = (count: number) =>
  setOf(Array.from({ length: count }, (_, row) => ({ kind: "text", text: `text ${row}`, label: row % 2 })));
const tokens = setOf([{ kind: "tokens", inputIds: Int32Array.of(1, 2), label: 0 }]);

const adapted = (name: string, hidden = 384) => ({
  base: { model: { sizes: { hidden } } },
  methods: methods.filter((method) => method.name === name).map((method) => method.use({})),
  goal,
  newTensors: ["classifier.weight"],
});

test("where a rate is named, nothing is chosen beside it", () => {
  expect(standardTraining(adapted("lora"), texts(100), { lr: 1e-3 })).toEqual({ settings: {}, remarks: [] });
});

test("rows of tokens and rows whose order counts get the method's rate and nothing else", () => {
  for (const [rows, given] of [
    [tokens, {}],
    [texts(100), { shuffle: false }],
  ] as const)
    expect(Object.keys(standardTraining(adapted("lora"), rows, given).settings)).toEqual(["lr"]);
});

test("what is said is not chosen", () => {
  const given = { epochs: 2, batch: 7, warmup: 0, headLr: 1e-4 };
  expect(Object.keys(standardTraining(adapted("lora"), texts(100), given).settings)).toEqual(["lr"]);
  expect(standardTraining(adapted("lora"), texts(100), { steps: 5 }).settings).not.toHaveProperty("epochs");
});

test.each(methods.map(({ name }) => name))("%s: fewer rows are read more often, within bounds", (name) => {
  const epochs = [1, 100, 300, 1000, 3000, 100_000].map(
    (count) => standardTraining(adapted(name), texts(count), {}).settings.epochs ?? 0,
  );
  expect(epochs).toEqual([...epochs].sort((a, b) => b - a));
  expect(Math.min(...epochs)).toBeGreaterThanOrEqual(3);
  expect(Math.max(...epochs)).toBeLessThanOrEqual(50);
});

test("a head that starts at random learns faster than what starts as the base, and it is said", () => {
  const { settings, remarks } = standardTraining(adapted("full"), texts(300), {});
  expect(settings.headLr).toBeGreaterThan(settings.lr ?? 0);
  expect(remarks.join()).toContain(`rate ${settings.lr} (the new head's ${settings.headLr})`);
  expect(standardTraining({ ...adapted("full"), newTensors: [] }, texts(300), {}).settings).not.toHaveProperty(
    "headLr",
  );
});

test("LoRA's rate never rises with the rows or the width, is the paper's at its width, and the method's own for tokens", () => {
  const rateOf = (width: number, rows: ExampleSet) =>
    standardTraining(adapted("lora", width), rows, {}).settings.lr ?? Number.NaN;
  const widths = [256, 384, 768, 1024, 4096];
  for (const width of widths) expect(rateOf(width, texts(300))).toBeGreaterThan(rateOf(width, texts(6000)));
  const rates = widths.map((width) => rateOf(width, texts(300)));
  expect(rates).toEqual([...rates].sort((a, b) => b - a));
  expect(rateOf(768, texts(6000))).toBeCloseTo(5e-4, 6); // Hu et al. 2021, table 9: RoBERTa base, SST-2
  expect(rateOf(384, tokens)).toBe(lora.use({}).rate);
});

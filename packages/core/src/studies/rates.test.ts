import { expect, test } from "vitest";
import { bottleneckSize } from "./bottleneck-size.ts";
import { compare } from "./compare.ts";
import { dataSize } from "./data-size.ts";
import { type Budget, type Cell, isWaiting, type PlannedCell, type Setup, type StudyRecord } from "./study.ts";

const layers = 2;
const seeds = 2;

const setupOf = (budget: Budget): Setup => ({
  budget,
  seeds,
  task: "classification",
  rows: 2000,
  fewestRows: 4,
  linearLayers: [],
  hasSource: false,
  methods: ["head", "full"],
  model: { sizes: { layers } } as Setup["model"],
});

function record({ cell, seed }: Pick<PlannedCell, "cell" | "seed">, score: number): StudyRecord {
  return {
    study: "",
    cell,
    seed,
    train: null,
    score,
    score_name: "accuracy",
    scores: {},
    loss: 0,
    trained_parameters: Number(cell.size ?? cell.count ?? 1),
    head_parameters: 0,
    base_parameters: 1,
    trainable_ratio: 0,
    seconds: 0,
    peak_rss_bytes: 0,
    adapter_bytes: 0,
    phi_sha256: null,
    data_sha256: "",
    base_sha256: "",
    petl: "",
    ...(isTry(cell) && { held_out_score: score }),
  };
}

const isTry = (cell: Cell) => cell.rows === "selection";
const finalsOf = (planned: readonly PlannedCell[]) => planned.filter(({ cell }) => !isTry(cell));

/** The records of all tries, those of a series best at a rate that is given for it. */
const triedBest = (planned: readonly PlannedCell[], bestOf: (cell: Cell) => number) =>
  planned.filter(({ cell }) => isTry(cell)).map((each) => record(each, each.cell.lr === bestOf(each.cell) ? 0.9 : 0.6));

const standard = setupOf("standard");

/** The rates that are tried for a cell of bottleneck-size, in their order. */
const sweep = ({ series, size, count }: Cell): readonly number[] =>
  bottleneckSize
    .plan(standard, [])
    .filter(({ cell }) => isTry(cell) && sameSettings(cell, { series, size, count }))
    .map(({ cell }) => Number(cell.lr));

const sameSettings = (cell: Cell, wanted: Readonly<Record<string, unknown>>) =>
  Object.entries(wanted).every(([key, value]) => cell[key] === value);

test("each size and each number of layers is trained with every seed at the rate that is best for itself", () => {
  const planned = bottleneckSize.plan(standard, []);
  const bestOf = (cell: Cell) => sweep(cell)[Number(cell.size ?? cell.count) > 16 ? 0 : 2] ?? 0;
  const finals = finalsOf(bottleneckSize.plan(standard, triedBest(planned, bestOf)));
  expect(finals).toHaveLength((5 + layers) * seeds);
  for (const { cell, fit } of finals) {
    expect(Object.keys(cell)).toEqual(cell.series === "bottleneck" ? ["series", "size"] : ["series", "count"]);
    expect(fit).toMatchObject({ lr: bestOf(cell), rows: "all" });
  }
});

test.each([compare, bottleneckSize, dataSize])(
  "$name: every try is a cell on four fifths of the rows, and what is trained on all of them waits for all of its tries",
  (study) => {
    const planned = study.plan(standard, []);
    const tries = planned.filter(({ cell }) => isTry(cell));
    expect(tries.length).toBeGreaterThan(0);
    for (const { cell, fit } of tries) expect(fit).toMatchObject({ lr: cell.lr, rows: "selection" });
    expect(finalsOf(planned).every(({ fit }) => isWaiting(fit))).toBe(true);
    const records = triedBest(planned, () => 0);
    const ready = (known: readonly StudyRecord[]) => finalsOf(study.plan(standard, known)).filter(isReady).length;
    expect(ready(records)).toBe(finalsOf(planned).length);
    expect(ready(records.slice(1))).toBeLessThan(finalsOf(planned).length);
    expect(ready([])).toBe(0);
  },
);

const isReady = ({ fit }: PlannedCell) => !isWaiting(fit);

test("of rates that do equally well the smallest is taken, and one that diverged never is", () => {
  const planned = bottleneckSize.plan(standard, []);
  const records = planned
    .filter(({ cell }) => isTry(cell))
    .map((each): StudyRecord => {
      const at = sweep(each.cell).indexOf(Number(each.cell.lr));
      const { held_out_score: _, ...diverged } = record(each, 1);
      return at === 0 ? diverged : record(each, at > 2 ? 0.5 : 0.7);
    });
  for (const { cell, fit } of finalsOf(bottleneckSize.plan(standard, records)))
    expect(fit).toMatchObject({ lr: sweep(cell)[1] });
});

test.each([bottleneckSize, dataSize])("$name: a quick look tries no rate and waits for nothing", (study) => {
  const planned = study.plan(setupOf("quick"), []);
  expect(planned.some(({ cell }) => isTry(cell))).toBe(false);
  expect(planned.every(isReady)).toBe(true);
});

test.each([compare, bottleneckSize, dataSize])("$name: tries change no figure, no claim and no table", (study) => {
  const planned = study.plan(standard, []);
  const tries = triedBest(planned, () => 0);
  const finals = finalsOf(study.plan(standard, tries)).map((each, at) => record(each, (at % 7) / 10));
  const told = (records: readonly StudyRecord[]) => [
    study.figures(records),
    study.findings(records),
    study.table?.(records, {}),
  ];
  expect(study.findings(finals).length).toBeGreaterThan(0);
  expect(told([...tries, ...finals])).toEqual(told(finals));
});

import { expect, test } from "vitest";
import { forgetting } from "./forgetting.ts";
import type { StudyRecord } from "./study.ts";

const [seeds, steps] = [
  [0, 1, 2],
  [5, 10],
];

function record(method: string, seed: number, step: number, score: number, source_loss: number): StudyRecord {
  return {
    study: "forgetting",
    cell: { method, step },
    seed,
    train: null,
    score,
    score_name: "loss",
    scores: {},
    loss: null,
    trained_parameters: 0,
    head_parameters: 0,
    base_parameters: 1,
    trainable_ratio: 0,
    adapter_bytes: 0,
    seconds: 0,
    peak_rss_bytes: 0,
    phi_sha256: null,
    data_sha256: "",
    base_sha256: "",
    petl: "",
    source_loss,
  };
}

/** Runs whose source loss grows in a line with what was learnt, in each seed a little otherwise. */
const runs = (method: string, pace: number, price: number) =>
  seeds.flatMap((seed) =>
    steps.map((step) => record(method, seed, step, pace * step, price * pace * step + seed / 100)),
  );

const told = (records: readonly StudyRecord[]) => forgetting.findings(records).map(({ holds }) => holds);

test("a method that has only learnt less forgets less behind as many steps, and as much at the same score", () => {
  const [slow, full] = [runs("bitfit", 0.6, 1), runs("full", 1, 1)];
  expect(told([...slow, ...full])).toEqual([true, "undecided"]);
  const [, equal] = forgetting.findings([...slow, ...full]);
  expect(equal?.evidence).toMatch(/differs by [+−]0\.000 /);
});

test("a method that pays less for what it learns forgets less at the same score, and one that pays more does not", () => {
  expect(told([...runs("bitfit", 1, 0.5), ...runs("full", 1, 1)])).toEqual([true, true]);
  expect(told([...runs("bitfit", 0.6, 2), ...runs("full", 1, 1)])).toEqual([false, false]);
});

test("where a method reaches the score before it is first measured, nothing is decided", () => {
  expect(told([...runs("bitfit", 0.1, 1), ...runs("full", 1, 1)])).toEqual([true, "undecided"]);
});

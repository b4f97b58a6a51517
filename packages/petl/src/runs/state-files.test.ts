import { expect, test } from "vitest";
import { readState, stateFiles } from "./state-files.ts";

test("a state that is written to files and read again is the same, each vector in its own place", () => {
  const vector = (from: number) => Float32Array.from({ length: 3 }, (_, at) => from + at / 7);
  const evaluation = { examples: 4, loss: 0.5 };
  const best = { score: -0.5, step: 2, since: 1, values: vector(4), evaluation };
  const state = {
    run: "a run",
    step: 3,
    tokens: 40,
    seconds: 1.5,
    pending: true,
    evaluation,
    values: vector(1),
    moments: [vector(2), vector(3)],
    best,
  };
  expect(readState(stateFiles(state))).toEqual(state);
  expect(() => readState({ ...stateFiles(state), "state.json": new TextEncoder().encode("{}") })).toThrow("state.json");
});

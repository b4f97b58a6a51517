import type { Engine } from "@petl/core/engine";
import { expect, test } from "vitest";
import { nativeEngine } from "./ort.ts";
import { apart, smallStep } from "./small-step.fake.ts";

test("a step whose weights are packed once is asked for as such, and its gradient is the same up to rounding", async () => {
  const { folder, files, computedBy } = await smallStep();
  const asked: (boolean | undefined)[] = [];
  const native = await nativeEngine(folder, files);
  const engine: Engine = {
    ...native,
    createSession(graph) {
      asked.push(graph.how.packs);
      return native.createSession(graph);
    },
  };
  const [packed, unpacked] = [await computedBy(engine, true), await computedBy(engine)];
  expect(asked).toEqual([true, false]);
  // the same sums in blocks of other lengths: some units in the last place of float32
  expect(apart([packed.loss, ...packed.gradient], [unpacked.loss, ...unpacked.gradient])).toBeLessThan(1e-6);
});

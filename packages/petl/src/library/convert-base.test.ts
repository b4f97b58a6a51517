import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { complete, unadapted } from "@petl/core";
import { expect, test } from "vitest";
import { temporaryFolder } from "../cli/run-petl.fake.ts";
import { convertBase } from "./convert-base.ts";
import { openBase } from "./open-base.ts";

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

// a checkpoint of llama2.c that is no part of this repository, and what an independent forward pass makes of it
const real = fileURLToPath(new URL("../../../../../shared/data/checkpoints/stories260K-llama2c", import.meta.url));
const wanted = [
  ...[403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401, 396, 267, 337, 410, 408],
  ...[419, 292, 411, 322, 265, 282, 295, 433, 426, 385, 328, 432, 358, 394, 261, 370, 432, 352, 266, 268, 388, 426],
  ...[338, 391, 266, 267, 337, 335, 312, 432, 398, 312, 286, 267, 414, 270, 333, 415, 426, 13, 438, 310],
];

test.skipIf(!existsSync(real))(
  "a checkpoint of llama2.c tells its story token by token, as llama2.c does",
  async () => {
    const folder = join(temporaryFolder(), "stories");
    expect(await convertBase(real, folder)).toEqual([]);
    const base = await openBase(folder, { offline: true, threads: 1 });
    try {
      const model = await unadapted(base, { task: "causal-lm" });
      const told = await all(complete(model, [[1], "Once upon a time"], { maxTokens: 64 }));
      expect(told[0]?.ids).toEqual(wanted);
      expect(told[1]?.ids.slice(0, 60)).toEqual(wanted.slice(4));
      expect(told[0]?.text).toMatch(/^Once upon a time, there was a little girl named Lily\. .* too high\.\nLily$/);
    } finally {
      await base.close();
    }
  },
);

test("what is no checkpoint of llama2.c is refused", async () => {
  await expect(convertBase(temporaryFolder(), "out")).rejects.toThrow(/holds no checkpoint of llama2\.c/);
  await expect(convertBase("absent", "out")).rejects.toThrow('"absent" is neither a file nor a folder');
});

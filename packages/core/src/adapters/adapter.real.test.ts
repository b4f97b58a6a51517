import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { diskFolder } from "../checkpoints/golden.fake.ts";
import { readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { loadAdapterFiles } from "./adapter-on-base.ts";

// adapters that people trained; they are not part of this repository
const root = fileURLToPath(new URL("../../../../../shared/data/adapters/", import.meta.url));
const here = existsSync(root);
const real = test.skipIf(!here);

const cases = [
  ["distilbert-emotion-lora-r8", { model_type: "distilbert" }, 6, 6 * 2 * 2 * 8 * 768, 768 * 768 + 768 + 6 * 768 + 6],
  ["gpt2-lora-r8-bin", { model_type: "gpt2" }, 3, 12 * 8 * (768 + 3 * 768 + 768 + 768), 3 * 768],
  ["bert-base-feedback-lora-r8", { model_type: "bert" }, 2, 12 * 2 * 2 * 8 * 768, 2 * 768 + 2],
] as const;

for (const [name, config, labels, adapterSize, headSize] of cases) {
  real(`${name}: every tensor finds its place on a base of the published sizes`, async () => {
    const folder = memoryFolder("base", { "config.json": JSON.stringify(config) });
    const base = await readBase(folder, { weights: false });
    const { adapted, phi } = await loadAdapterFiles(diskFolder(`${root}${name}`), base);
    expect(adapted.goal).toMatchObject({ task: "classification", labels });
    const size = (part: string) =>
      adapted.layout.filter((placed) => placed.part === part).reduce((sum, placed) => sum + placed.size, 0);
    expect([size("adapter"), size("head"), size("base")]).toEqual([adapterSize, headSize, 0]);
    expect(phi.values.some((value) => value !== 0)).toBe(true);
  });
}

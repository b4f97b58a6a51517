import { expect, test } from "vitest";
import {
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  goldenNames,
  logitsOf,
} from "../../../checkpoints/golden.fake.ts";
import { loadAdapterFiles } from "../../adapter-on-base.ts";

for (const name of goldenNames("gguf")) {
  test(`${name}: what llama.cpp's converter wrote gives PEFT's logits`, async () => {
    const golden = goldenJson(`adapters/${name.replace(/-f16$/, "")}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { adapted, phi } = await loadAdapterFiles(goldenFolder(`gguf/${name}`), base);
    // float32 sums in another order than torch's; factors of float16 keep 11 bits
    const tolerance = name.endsWith("-f16") ? 5e-3 : 1e-4;
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(tolerance);
  });
}

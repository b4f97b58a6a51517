import { expect, test } from "vitest";
import {
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  goldenNames,
  logitsOf,
} from "../../checkpoints/golden.fake.ts";
import { loadAdapterFiles } from "../adapter-on-base.ts";

for (const name of goldenNames("mlx")) {
  test(`${name}: what mlx-lm saved gives its logits`, async () => {
    const golden = goldenJson(`mlx/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const { adapted, phi } = await loadAdapterFiles(goldenFolder(`mlx/${name}`), base);
    const seen = rows.filter((row) => row.attention_mask === undefined); // mlx-lm's models take no mask
    // float32 sums in another order than MLX's; logits are up to 10
    expect(distance(await logitsOf(adapted, phi, seen, path), golden.logits)).toBeLessThan(2e-4);
  });
}

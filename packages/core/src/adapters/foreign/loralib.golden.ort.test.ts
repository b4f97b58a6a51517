import { expect, test } from "vitest";
import {
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  goldenNames,
  logitsOf,
} from "../../checkpoints/golden.fake.ts";
import { readAdapter } from "../adapter-files.ts";
import { putOnBase } from "../adapter-on-base.ts";

for (const name of goldenNames("loralib")) {
  test(`${name}: what the LoRA authors' library saved gives its logits`, async () => {
    const golden = goldenJson(`loralib/${name}/golden.json`);
    const { base, rows, path } = await goldenBase(golden.base);
    const adapter = await readAdapter(goldenFolder(`loralib/${name}`), { base, alpha: golden.alpha });
    const { adapted, phi } = await putOnBase(adapter, base);
    // float32 sums in another order than torch's; logits are up to 10
    expect(distance(await logitsOf(adapted, phi, rows, path), golden.logits)).toBeLessThan(2e-4);
  });
}

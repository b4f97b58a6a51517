import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { adapt, compile, initialPhi, labelCount, methods, readBase, taskOf, tensorsOf } from "@petl/core";
import { expect, test } from "vitest";
import { directory } from "./files.ts";
import { nativeEngine } from "./ort.ts";

const golden = fileURLToPath(new URL("../../core/golden/", import.meta.url));
interface Golden {
  rows: { input_ids: number[]; attention_mask?: number[]; token_type_ids?: number[] }[];
  logits?: number[][] | number[][][];
}

for (const name of readdirSync(`${golden}/models`).filter((n) => !n.endsWith("-base"))) {
  test(`${name}: logits equal transformers'`, async () => {
    const path = `${golden}/models/${name}`;
    const base = await readBase(directory(path));
    const { rows, logits = [] }: Golden = JSON.parse(readFileSync(`${path}/golden.json`, "utf8"));
    const task = taskOf(base.config)!;
    const adapted = adapt(base, [methods.find((m) => m.name === "head")!.use({})], {
      task,
      labels: labelCount(base.config),
    });
    const phi = await initialPhi(adapted, 0);
    const engine = await nativeEngine(path, base.checkpoint!.files);
    const program = await compile(engine, { logits: adapted.forward().logits });
    for (const [i, row] of rows.entries()) {
      const t = (a: number[]) => ({ dtype: "int32" as const, shape: [1, a.length], data: Int32Array.from(a) });
      const out = await program.run({
        ...tensorsOf(phi),
        input_ids: t(row.input_ids),
        attention_mask: t(row.attention_mask ?? row.input_ids.map(() => 1)),
        token_type_ids: t(row.token_type_ids ?? row.input_ids.map(() => 0)),
      });
      const got = Array.from(out.logits!.data as Float32Array);
      const per = got.length / (["token-classification", "masked-lm"].includes(task) ? row.input_ids.length : 1);
      const kept =
        per === got.length
          ? got
          : row.input_ids.flatMap((_, k) => (row.attention_mask?.[k] === 0 ? [] : got.slice(k * per, (k + 1) * per)));
      const want = (logits[i] as number[][]).flat(2);
      expect(kept.length).toBe(want.length);
      expect(Math.max(...kept.map((v, k) => Math.abs(v - want[k]!)))).toBeLessThan(1e-4);
    }
    await program.release();
  });
}

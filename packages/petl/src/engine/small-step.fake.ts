import { fileURLToPath } from "node:url";
import { adapt, compileStep, initialPhi, lora, readBase } from "@petl/core";
import type { Engine } from "@petl/core/engine";
import { directory } from "../disk/files.ts";

/** A LoRA step on a base of the goldens, to be computed by several engines: its loss and gradient at one Φ on one batch. */
export async function smallStep() {
  const folder = fileURLToPath(new URL("../../../core/golden/models/bert-sequence-classification", import.meta.url));
  const base = await readBase(directory(folder), { weights: true });
  const adapted = adapt(base, [lora({ rank: 2 })], { task: "classification", labels: 3 });
  const phi = await initialPhi(adapted, 0);
  for (const i of phi.values.keys()) phi.values[i] = 0.02 * Math.sin(i);
  const ids = Int32Array.from({ length: 12 }, (_, i) => 5 + i);
  const tensor = (data: Int32Array) => ({ dtype: "int32" as const, shape: [2, 6], data });
  const batch = {
    input_ids: tensor(ids),
    attention_mask: tensor(ids.map(() => 1)),
    token_type_ids: tensor(ids.map(() => 0)),
    labels: { dtype: "int32" as const, shape: [2], data: Int32Array.of(0, 2) },
    items: 2,
  };
  return {
    folder,
    files: base.checkpoint?.files ?? [],
    async computedBy(engine: Engine, prepack = false) {
      const step = await compileStep(engine, adapted, { dropout: 0, labelSmoothing: 0, prepack });
      const scale = { loss: 0.5, teacher: 0, penalty: 0 };
      const { loss, gradient } = await step.run(batch, phi, scale, 0, new Float32Array(phi.values.length));
      await step.release();
      return { loss, gradient: [...gradient] };
    },
  };
}

/** How far two lists of numbers are apart at most. */
export const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((number, i) => Math.abs(number - (b[i] ?? Number.NaN))));

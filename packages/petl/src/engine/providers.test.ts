import { fileURLToPath } from "node:url";
import { adapt, compileStep, initialPhi, lora, readBase } from "@petl/core";
import { expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { MachineError } from "../machine-error.ts";
import { nativeEngine } from "./ort.ts";
import { requireProvider } from "./providers.ts";

const missing = await requireProvider("webgpu").then(
  () => undefined,
  (error: Error) => error.message,
);

test("a device that cannot be opened is refused by its name, with what it needs", async () => {
  const said = await requireProvider("cuda").then(
    () => "",
    (error: unknown) => (error instanceof MachineError ? error.message : "another error"),
  );
  expect(said).toMatch(/^(--device cuda is not there: .+; it needs an NVIDIA card.*)?$/s);
});

test.skipIf(missing !== undefined)(
  `gradients on webgpu are the processor's (${missing ?? "it is there"})`,
  async () => {
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
    const found = async (device: "cpu" | "webgpu") => {
      const engine = await nativeEngine(folder, base.checkpoint?.files ?? [], { device });
      const step = await compileStep(engine, adapted, { dropout: 0, labelSmoothing: 0 });
      const result = await step.run(
        batch,
        phi,
        { loss: 0.5, teacher: 0, penalty: 0 },
        0,
        new Float32Array(phi.values.length),
      );
      await step.release();
      return { loss: result.loss, gradient: [...result.gradient] };
    };
    const [cpu, gpu] = [await found("cpu"), await found("webgpu")];
    expect(Math.abs(gpu.loss - cpu.loss)).toBeLessThan(1e-5);
    expect(Math.max(...gpu.gradient.map((number, i) => Math.abs(number - (cpu.gradient[i] ?? 0))))).toBeLessThan(1e-4);
  },
);

import { expect, test } from "vitest";
import { MachineError } from "../machine-error.ts";
import { nativeEngine } from "./ort.ts";
import { requireProvider } from "./providers.ts";
import { apart, smallStep } from "./small-step.fake.ts";

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
    const { folder, files, computedBy } = await smallStep();
    const found = async (device: "cpu" | "webgpu") => computedBy(await nativeEngine(folder, files, { device }));
    const [cpu, gpu] = [await found("cpu"), await found("webgpu")];
    expect(Math.abs(gpu.loss - cpu.loss)).toBeLessThan(1e-5);
    expect(apart(gpu.gradient, cpu.gradient)).toBeLessThan(1e-4);
  },
);

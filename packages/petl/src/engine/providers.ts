import { type DeviceName, type Engine, encodeProbe } from "@petl/core/engine";
import * as ort from "onnxruntime-node";
import { MachineError } from "../machine-error.ts";

/** What a device needs on the machine, for those who miss it. */
const needs: Readonly<Record<DeviceName, string>> = {
  cpu: "nothing",
  webgpu:
    "a graphics card with its Vulkan driver on Linux (libvulkan.so.1 and an entry in VK_ICD_FILENAMES or /usr/share/vulkan/icd.d), with Direct3D 12 on Windows, with Metal on macOS",
  cuda: "an NVIDIA card with CUDA 12, cuDNN 9 and the libraries that onnxruntime-node downloads when ONNXRUNTIME_NODE_INSTALL=cuda12 is set at its install",
};

/**
 * Opens a device with the smallest of graphs.
 * @throws MachineError that names the device, what the engine says, and what the device needs
 */
export async function requireProvider(device: DeviceName): Promise<void> {
  if (device === "cpu") return;
  try {
    const session = await ort.InferenceSession.create(encodeProbe(), {
      executionProviders: [device],
      logSeverityLevel: 4,
    });
    await session.release();
  } catch (error) {
    throw new MachineError(`--device ${device} is not there: ${saidBy(error)}; it needs ${needs[device]}`, {
      cause: error,
    });
  }
}

/** The same engine whose failures name the device: what it cannot compute is the machine's affair. */
export function blaming(device: DeviceName, engine: Engine): Engine {
  const blame = (error: unknown): never => {
    throw new MachineError(`--device ${device} cannot compute this: ${saidBy(error)}`, { cause: error });
  };
  return {
    ...engine,
    async createSession(graph) {
      const session = await engine.createSession(graph).catch(blame);
      return { run: (...asked) => session.run(...asked).catch(blame), release: () => session.release() };
    },
  };
}

/** The engine's own words, without the place in its sources. */
const saidBy = (error: unknown): string =>
  error instanceof Error ? (error.message.split("\n")[0] ?? "").replace(/^.* was false\. /, "") : String(error);

import { type Ort, ortEngine } from "./ort.ts";
import type { Engine } from "./session.ts";

/**
 * The engine of onnxruntime-web: sessions get the bytes of the checkpoint's files, since a page has no files to map.
 *
 * @param ort the package onnxruntime-web, wasm or WebGPU
 * @param read gives the bytes of a file of the checkpoint
 */
export function webEngine(
  ort: Ort,
  read: (file: string) => Promise<Uint8Array>,
  executionProviders: readonly string[] = ["wasm"],
): Engine {
  return ortEngine({
    ort,
    fileName: (file) => file,
    writesInPlace: false,
    options: async ({ weights }) => ({
      executionProviders,
      enableMemPattern: false,
      graphOptimizationLevel: "basic",
      externalData: await Promise.all(
        [...new Set(weights.map(({ file }) => file))].map(async (path) => ({ path, data: await read(path) })),
      ),
    }),
  });
}

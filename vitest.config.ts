import { defineConfig } from "vitest/config";

const source = (path: string) => new URL(`./packages/core/src/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    // tests read the sources; only the command line's own tests run the build
    alias: { "@petl/core/engine": source("engine.ts"), "@petl/core": source("index.ts") },
  },
  test: {
    pool: "forks",
    env: { ORT_DISABLE_TELEMETRY: "1" }, // ONNX Runtime would tell its maker of every session
    maxWorkers: "100%", // left alone, vitest keeps one core for itself: on two cores that is half the machine
    testTimeout: 240_000, // against hangs alone: on a busy machine a command takes ten times as long,
    hookTimeout: 240_000,
    projects: [
      // core holds nothing between calls, so that its tests share a process, which reads its modules once
      { extends: true, test: { name: "core", include: ["packages/core/src/**/*.test.ts"], isolate: false } },
      { extends: true, test: { name: "petl", include: ["packages/petl/src/**/*.test.ts", "examples/**/*.test.ts"] } },
    ],
  },
});

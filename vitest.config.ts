import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    // tests read the sources; only the command line's own tests run the build
    alias: {
      "@petl/core/engine": new URL("./packages/core/src/engine.ts", import.meta.url).pathname,
      "@petl/core": new URL("./packages/core/src/index.ts", import.meta.url).pathname,
    },
  },
  test: {
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"],
    pool: "forks",
    maxWorkers: "100%", // left alone, vitest keeps one core for itself: on two cores that is half the machine
    testTimeout: 240_000, // against hangs alone: on a busy machine a command takes ten times as long,
    hookTimeout: 240_000,
  },
});

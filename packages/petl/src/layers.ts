/**
 * Which room of the Node package may import which: each may import the named ones and all that those may import;
 * machine-error.ts and version.ts are open to all.
 */
export const layers = {
  disk: [],
  bundled: [],
  hub: ["disk"],
  data: ["hub"],
  engine: ["disk"],
  library: ["bundled", "data", "engine"],
  trackers: ["disk"],
  flags: ["trackers"],
  executors: [],
  runs: ["library"],
  reports: ["runs"],
  pretraining: ["runs"],
  jobs: ["executors", "runs"],
  studies: ["executors", "reports"],
  demo: ["studies"],
  server: ["flags", "jobs"],
  cli: ["demo", "pretraining", "server"],
} as const;

/** What a test's server is started with, beside its base and its folder: any free port, no network, one thread. */
export const smallServer = {
  host: "127.0.0.1",
  port: 0,
  threads: 1,
  maxBatch: 8,
  maxWait: 1,
  resident: 8,
  offline: true,
  named: [],
};

/** Nobody reads its log. */
export const unwatched = { log: () => undefined, remark: () => undefined };

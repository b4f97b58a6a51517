import { count as counted, InputError, nonnegative, setting } from "@petl/core";
import { z } from "zod";
import { number, optionalCount, text, texts } from "../flags/flags.ts";
import { type ServeOptions, serve } from "../server/serve.ts";
import { modelFlags } from "./open.ts";
import { untilTold } from "./until-told.ts";
import { defineVerb } from "./verb.ts";
import { queueHelp } from "./worker.ts";

/** Milliseconds in which a server that is told to end must have ended. */
const endingTime = 25_000;

export const serveVerb = defineVerb({
  name: "serve",
  group: "Serve",
  summary: "answer over HTTP, with many adapters on one base",
  flags: {
    base: modelFlags.base,
    adapters: text("DIR", "a folder of adapters, each served under its folder's name"),
    adapter: texts("NAME=ADAPTER", "an adapter and the name it is served under; several may be given"),
    host: setting(z.string().min(1), { initial: "127.0.0.1", placeholder: "HOST", help: "the address to listen at" }),
    port: number(z.int().min(0).max(65_535).default(8080), "N", "the port, 0 for a free one"),
    keys: text("FILE", "the tenants and the SHA-256 of their keys, as JSON; needed where others than this machine ask"),
    maxBatch: counted(32, "rows that are computed together at most"),
    maxWait: nonnegative(2, "milliseconds that a row waits for others at most", { placeholder: "MS" }),
    resident: counted(128, "adapters that stay in memory; others are read when asked"),
    queue: text("URL", `${queueHelp}, whose workers take the jobs (default: children of this process)`),
    shared: text("DIR", "where files, jobs and adapters are kept (default: in your data folder)"),
    threads: optionalCount("threads that share the work (default: the machine's cores)"),
    activations: modelFlags.activations,
    offline: modelFlags.offline,
  },
  ownSignals: ["SIGTERM"],
  examples: [
    "serve --base petl-mini-encoder --adapter reviews=my-adapter",
    "serve --base BASE --adapters adapters --keys keys.json --host 0.0.0.0 --port 80",
  ],
  async run({ flags }, { terminal, signal }) {
    const ended = untilTold(signal);
    const options: ServeOptions = { ...flags, named: flags.adapter.map(namedAdapter) };
    const serving = await serve(options, {
      log: (line) => terminal.line(JSON.stringify(line)),
      remark: (line) => terminal.line(line),
    });
    terminal.line(`listening on ${serving.url}`);
    const why = await ended;
    await serving.end(endingTime);
    if (why === "interrupted") throw new DOMException("interrupted", "AbortError");
  },
});

/** `reviews=path/to/adapter` */
function namedAdapter(given: string): ServeOptions["named"][number] {
  const at = given.indexOf("=");
  if (at > 0 && at < given.length - 1) return { name: given.slice(0, at), source: given.slice(at + 1) };
  throw new InputError(`--adapter ${given} is not possible: say NAME=ADAPTER`);
}

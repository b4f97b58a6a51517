import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freePort, hasRedis, startRedis } from "../executors/redis-server.fake.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { sharedFolder } from "./shared-cells.ts";
import { study } from "./study.ts";

const folder = testFolder();
const petl = fileURLToPath(new URL("../../bin/petl.js", import.meta.url));
const id = `cells-${"0".repeat(40)}`;

test("a worker looks for a study below its shared folder alone, wherever a task or a link leads", async () => {
  const shared = join(folder, "shared");
  for (const name of ["shared/own", "elsewhere"]) mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(join(folder, "elsewhere"), join(shared, "link"));
  const found = (out: string) => sharedFolder(shared, { kind: "cells", id, out });
  expect(await found("own")).toBe(await found(join(shared, "own")));
  for (const out of ["../elsewhere", "link", ".", "", join(folder, "elsewhere"), "absent"])
    await expect(found(out)).rejects.toThrow(/is not in `shared`/);
  await expect(sharedFolder(shared, { kind: "cells", id: "../own", out: "own" })).rejects.toThrow(/no id/);
});

// skipped where no redis-server is installed, which petl does not bring
test.skipIf(!hasRedis)(
  "cells that a worker has done are those that this process does, and nothing stays behind",
  async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    startRedis(port);
    const base = join(folder, "base");
    await writeTinyBase(base, ["a fine film", "a dull film"]);
    const rows = Array.from({ length: 20 }, (_, row) =>
      row % 2 ? `a dull film ${row},bad` : `a fine film ${row},good`,
    );
    for (const split of ["train", "test"])
      writeFileSync(join(folder, `${split}.csv`), `text,label\n${rows.join("\n")}\n`);
    const worker = spawn(process.execPath, [petl, "worker", "--queue", url, "--shared", folder], { stdio: "ignore" });
    const ended = once(worker, "exit");
    const given = { base, data: folder, seeds: 1, methods: ["head"], jobs: 1 };
    const records = async (out: string, options = {}) => {
      for await (const _ of study("learning-rate", { ...given, ...options, out: join(folder, out) }));
      return recordsOf(join(folder, out));
    };
    const queued = await records("queued", { queue: { url } });
    expect(queued).toHaveLength(3);
    expect(queued).toEqual(await records("here"));
    worker.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  },
);

/** A study's records without what the clock and the machine say, in one order. */
const recordsOf = (out: string): readonly string[] =>
  readFileSync(join(out, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.stringify({ ...JSON.parse(line), seconds: 0, peak_rss_bytes: 0 }))
    .sort();

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, crc32c } from "@petl/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { scalarsOf } from "./tracker.ts";
import { chooseTracker, trackers } from "./trackers.ts";

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "petl-trackers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const run = { name: "my-run", settings: { lr: 0.1, batch: 4 } };

async function logged(where: string): Promise<void> {
  const tracker = await chooseTracker(where).open(run);
  for (let step = 1; step <= 500; step++)
    tracker.log(step, { loss: 1 / step, "evaluation/accuracy": 0.5 }, 1000 + step);
  await tracker.close("finished");
}

const onlyFile = (folder: string, end: RegExp) => {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => end.test(file));
  expect(files).toHaveLength(1);
  return readFileSync(join(folder, files[0] ?? ""));
};

test("the list of trackers is the folder's", () => {
  const others = ["tracker.ts", "trackers.ts"];
  const files = readdirSync(new URL(".", import.meta.url)).filter((file) => !file.includes(".test."));
  const kinds = files.filter((file) => !others.includes(file)).map((file) => file.replace(".ts", ""));
  expect(trackers.map(({ name }) => name).sort()).toEqual(kinds.sort());
});

test("every record of TensorBoard's file has both its checksums, and there is one an entry and two in front", async () => {
  const folder = temporary();
  await logged(`tensorboard:${folder}`);
  const bytes = onlyFile(folder, /tfevents/);
  const mask = (checksum: number) => (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
  let [at, records] = [0, 0];
  for (; at < bytes.length; records++) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(mask(crc32c(bytes.subarray(at, at + 8))));
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(mask(crc32c(bytes.subarray(at + 12, at + 12 + length))));
    at += length + 16;
  }
  expect([at, records]).toEqual([bytes.length, 502]);
});

test("a wandb log is whole parts with their checksums, none of which crosses a block", async () => {
  const folder = temporary();
  await logged(`wandb-offline:${folder}`);
  const bytes = onlyFile(folder, /\.wandb$/);
  expect(bytes.length).toBeGreaterThan(32_768);
  let [at, records] = [7, 0];
  while (at < bytes.length) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) at += left;
    const [length, kind] = [bytes.readUInt16LE(at + 4), bytes[at + 6] ?? 0];
    expect(length + 7).toBeLessThanOrEqual(32_768 - (at % 32_768));
    expect(bytes.readUInt32LE(at)).toBe(crc32(bytes.subarray(at + 6, at + 7 + length)));
    if (kind === 1 || kind === 4) records++;
    at += 7 + length;
  }
  expect(records).toBe(504); // header, run, 500 steps, summary, exit
});

test("an MLflow server is told settings, every number and the end", async () => {
  const calls: { path: string; body: Record<string, unknown>; user: string | undefined }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece) => {
      text += piece;
    });
    request.on("end", () => {
      const path = (request.url ?? "").replace("/api/2.0/mlflow/", "");
      calls.push({ path, body: text ? JSON.parse(text) : {}, user: request.headers.authorization });
      const isUnknown = path.startsWith("experiments/get-by-name");
      response.writeHead(isUnknown ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(isUnknown ? {} : { experiment_id: "7", run: { info: { run_id: "r1" } } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("MLFLOW_TRACKING_USERNAME", "me").stubEnv("MLFLOW_TRACKING_PASSWORD", "secret");
  onTestFinished(() => void vi.unstubAllEnvs());
  await logged(`mlflow:http://127.0.0.1:${port}/`);
  await expect(logged(`mlflow:http://me:secret@127.0.0.1:${port}/`)).rejects.toThrow(/^the URL (?!.*:secret)/);
  expect(calls.map(({ path }) => path).slice(0, 4)).toEqual([
    ...["experiments/get-by-name?experiment_name=petl", "experiments/create", "runs/create", "runs/log-batch"],
  ]);
  expect(new Set(calls.map(({ user }) => user))).toEqual(new Set([`Basic ${btoa("me:secret")}`]));
  const metrics = calls.flatMap(({ body }) => (body.metrics ?? []) as { key: string; step: number }[]);
  expect(metrics).toHaveLength(1000);
  expect(metrics.at(-1)).toMatchObject({ key: "evaluation/accuracy", step: 500 });
  expect(calls.at(-1)).toMatchObject({ path: "runs/update", body: { run_id: "r1", status: "FINISHED" } });
});

test("what names no tracker or no place is refused", () => {
  expect(() => chooseTracker("tensorbord:x")).toThrow('names no tracker; did you mean "tensorboard"?');
  expect(() => chooseTracker("wandb-offline:")).toThrow("wandb-offline:DIR");
  expect(() => chooseTracker("mlflow")).toThrow("names no place");
});

test("numbers are named by their paths, and what is none is left out", () => {
  expect(scalarsOf({ a: 1, b: { c: 2, d: [3], e: "4" }, f: Number.NaN })).toEqual({ a: 1, "b/c": 2 });
});

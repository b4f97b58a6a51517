import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MachineError } from "../machine-error.ts";
import { commit, gitSha1, type Listed, openTrial, sha256, type Trial, weights } from "./hub.fake.ts";
import type { HubEvent } from "./hub.ts";

let trial: Trial;
beforeEach(async () => {
  trial = await openTrial();
  for (const name of ["HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"]) vi.stubEnv(name, "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await trial.close();
});

const filesUnder = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();

test("a folder is itself, and nothing is asked", async () => {
  expect(await trial.resolve({}, trial.root)).toBe(trial.root);
  expect(trial.hub.requests).toEqual([]);
});

test("a file is no base", async () => {
  writeFileSync(join(trial.root, "model.bin"), "");
  await expect(trial.resolve({}, join(trial.root, "model.bin"))).rejects.toThrow(/is a file; give the folder/);
});

describe("downloads", () => {
  test("the needed files come once, in the Python library's layout", async () => {
    Object.assign(trial.hub.files, { "pytorch_model.bin": Buffer.from("pickle"), "README.md": Buffer.from("#") });
    expect(await trial.resolve()).toBe(trial.snapshot);
    expect(filesUnder(trial.snapshot)).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
    expect(readlinkSync(join(trial.snapshot, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(readlinkSync(join(trial.snapshot, "config.json"))).toBe(`../../blobs/${gitSha1(Buffer.from("{}"))}`);
    expect(readFileSync(join(trial.cacheDir, "models--owner--name/refs/main"), "utf8")).toBe(commit);
    expect(filesUnder(trial.cacheDir).filter((name) => /incomplete|tmp|petl\.lock/.test(name))).toEqual([]);
    const asked = trial.fileRequests().length;
    await trial.resolve();
    expect(trial.fileRequests().length).toBe(asked);
  });

  test("a pinned commit that is there needs no network at all", async () => {
    await trial.resolve({}, `owner/name@${commit}`);
    const asked = trial.hub.requests.length;
    expect(await trial.resolve({}, `owner/name@${commit}`)).toBe(trial.snapshot);
    expect(trial.hub.requests.length).toBe(asked);
    expect(existsSync(join(trial.cacheDir, "models--owner--name/refs"))).toBe(false);
  });

  test("progress ends with every byte of every file", async () => {
    await trial.resolve();
    const last = trial.events.at(-1);
    const all = Object.values(trial.hub.files).reduce((sum, bytes) => sum + bytes.length, 0);
    expect(last).toMatchObject({ type: "download", receivedOfAll: all, sizeOfAll: all });
  });

  test("without weights, only the small files come; the weights come when they are needed", async () => {
    await trial.resolve({ weights: false });
    expect(filesUnder(trial.snapshot)).toEqual(["config.json", "tokenizer.json"]);
    await trial.resolve();
    expect(filesUnder(trial.snapshot)).toContain("model.safetensors");
  });

  test("all shards of an index come", async () => {
    const index = { weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } };
    trial.hub.files = {
      "config.json": Buffer.from("{}"),
      "model.safetensors.index.json": Buffer.from(JSON.stringify(index)),
      "model-00001-of-00002.safetensors": Buffer.from("one"),
      "model-00002-of-00002.safetensors": Buffer.from("two"),
      "other.safetensors": Buffer.from("three"),
    };
    await trial.resolve();
    expect(filesUnder(trial.snapshot)).toEqual(
      Object.keys(trial.hub.files)
        .filter((name) => !name.startsWith("other"))
        .sort(),
    );
    rmSync(join(trial.snapshot, "model-00002-of-00002.safetensors"));
    await expect(trial.resolve({ offline: true })).rejects.toThrow("without model-00002-of-00002.safetensors");
  });

  test("an adapter's files come, its pickle only where there is nothing else", async () => {
    trial.hub.files = {
      "adapter_config.json": Buffer.from("{}"),
      "adapter_model.safetensors": Buffer.from("a"),
      "adapter_model.bin": Buffer.from("b"),
    };
    await trial.resolve();
    expect(filesUnder(trial.snapshot)).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  });

  test("an interrupted download goes on where it broke, by range, within one call", async () => {
    let breaks = 2;
    trial.hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors") || breaks === 0) return false;
      breaks--;
      const start = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, { "content-length": weights.length - start });
      response.write(weights.subarray(start, start + 100_000), () => response.destroy());
      return true;
    };
    await trial.resolve();
    const ranges = trial
      .fileRequests()
      .filter(({ url }) => url.endsWith("model.safetensors"))
      .map(({ range }) => range);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
    const starts = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")?.[1]));
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1] ?? 0);
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test("what an earlier process had received is not asked for again", async () => {
    const blobs = join(trial.cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 200_000));
    await trial.resolve();
    expect(trial.fileRequests().find(({ url }) => url.endsWith("model.safetensors"))?.range).toBe("bytes=200000-");
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test.each([
    ["other bytes", Buffer.alloc(1000, 7)],
    ["more bytes than the file has", Buffer.alloc(weights.length + 5)],
  ])("an earlier part of %s is thrown away and the file comes anew", async (_, part) => {
    const blobs = join(trial.cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), part);
    await trial.resolve();
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test("a server without ranges sends the whole file again, and it is right", async () => {
    const blobs = join(trial.cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 1000));
    trial.hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.end(weights);
      return true;
    };
    await trial.resolve();
    expect(readFileSync(join(trial.snapshot, "model.safetensors")).equals(weights)).toBe(true);
  });

  test.each<[string, (entry: Listed) => Listed]>([
    ["another hash", (entry) => ({ ...entry, lfs: { oid: "0".repeat(64), size: entry.size, pointerSize: 1 } })],
    ["a smaller size", (entry) => ({ ...entry, lfs: { oid: sha256(weights), size: entry.size - 1, pointerSize: 1 } })],
    ["a larger size", (entry) => ({ ...entry, lfs: { oid: sha256(weights), size: entry.size + 1, pointerSize: 1 } })],
  ])("a file announced with %s never becomes a file of the snapshot", async (_, forge) => {
    trial.hub.listing = (entries) => entries.map((entry) => (entry.lfs ? forge(entry) : entry));
    await expect(trial.resolve()).rejects.toThrow(MachineError);
    expect(filesUnder(trial.snapshot)).not.toContain("model.safetensors");
    expect(existsSync(join(trial.cacheDir, "models--owner--name/refs/main"))).toBe(false);
    await expect(trial.resolve({ offline: true })).rejects.toThrow("isn't in the cache");
  });

  test("an empty file comes too", async () => {
    trial.hub.files["merges.txt"] = Buffer.alloc(0);
    await trial.resolve();
    expect(readFileSync(join(trial.snapshot, "merges.txt")).length).toBe(0);
  });

  test("a process that finds another one downloading waits, and then downloads nothing twice", async () => {
    await Promise.all([trial.resolve(), trial.resolve()]);
    const asked = trial.fileRequests().map(({ url }) => url);
    expect(asked.length).toBe(new Set(asked).size);
    expect(trial.events.filter(({ type }) => type === "waiting").length).toBe(1);
  });

  test("the lock of a process that died is taken over", async () => {
    const locks = join(trial.cacheDir, ".locks/models--owner--name");
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(locks, "petl.lock"), `${2 ** 22 + 1} ${hostname()} abc`);
    await trial.resolve();
    expect(trial.events.filter(({ type }) => type === "waiting")).toEqual([]);
    expect(readdirSync(locks)).toEqual([]);
  });

  test("a call that is given up stops waiting and leaves what it had received", async () => {
    trial.hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 100_000));
      return true;
    };
    const controller = new AbortController();
    const onProgress = (event: HubEvent) => {
      if (event.type === "download" && event.received > 0 && event.size === weights.length) controller.abort();
    };
    await expect(trial.resolve({ signal: controller.signal, onProgress })).rejects.toHaveProperty("name", "AbortError");
    trial.hub.intercept = () => false;
    await trial.resolve();
    expect(trial.fileRequests().at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test("nothing is written to stdout", async () => {
    const stdout = vi.spyOn(process.stdout, "write");
    const debug = vi.spyOn(console, "debug");
    const info = vi.spyOn(console, "info");
    await trial.resolve();
    for (const spy of [stdout, debug, info]) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe("offline", () => {
  test.each([
    ["the option", { offline: true }, ""],
    ["HF_HUB_OFFLINE", {}, "1"],
  ])("%s finds the cached snapshot through its ref without the network", async (_, options, variable) => {
    await trial.resolve();
    vi.stubEnv("HF_HUB_OFFLINE", variable);
    const asked = trial.hub.requests.length;
    expect(await trial.resolve(options)).toBe(trial.snapshot);
    expect(await trial.resolve(options, `owner/name@${commit}`)).toBe(trial.snapshot);
    expect(trial.hub.requests.length).toBe(asked);
  });

  test("what isn't in the cache is told with the way out", async () => {
    await expect(trial.resolve({ offline: true })).rejects.toThrow(
      /^"owner\/name" at revision "main" isn't in the cache ".*"; run once without `offline` .*, or give a folder$/,
    );
    expect(trial.hub.requests).toEqual([]);
  });

  test("a snapshot without weights is told as partly there", async () => {
    await trial.resolve({ weights: false });
    await expect(trial.resolve({ offline: true })).rejects.toThrow("only partly in the cache");
    expect(await trial.resolve({ offline: true, weights: false })).toBe(trial.snapshot);
  });

  test("an unreachable hub is no hindrance where the snapshot is cached, and it is said", async () => {
    await trial.resolve();
    const endpoint = "http://127.0.0.1:1";
    expect(await trial.resolve({ endpoint })).toBe(trial.snapshot);
    expect(trial.events.at(-1)).toEqual({ type: "cached", reason: expect.stringContaining("can't reach") });
  });
});

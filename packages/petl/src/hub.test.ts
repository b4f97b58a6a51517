import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@petl/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseHubId } from "./hub/hub-id.ts";
import { type HubEvent, type ResolveOptions, resolveBase } from "./hub.ts";
import { MachineError } from "./machine-error.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256));

interface Listed {
  type: string;
  path: string;
  size: number;
  oid: string;
  lfs?: { oid: string; size: number; pointerSize: number };
}

/** A hub with one repository, which tests bend before they ask. */
interface FakeHub {
  readonly endpoint: string;
  readonly requests: { url: string; range: string | undefined; authorization: string | undefined }[];
  files: Record<string, Buffer>;
  listing: (entries: Listed[]) => unknown;
  /** May answer in the hub's place. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

let hub: FakeHub;
let cdn: FakeHub;
const servers: Server[] = [];
let root: string;
let cacheDir: string;
let events: HubEvent[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "petl-hub-"));
  cacheDir = join(root, "cache");
  events = [];
  hub = await startHub();
  cdn = await startHub();
  for (const name of ["HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"]) vi.stubEnv(name, "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(root, { recursive: true });
});

async function startHub(): Promise<FakeHub> {
  const server = createServer((request, response) => answer(fake, request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeHub = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    files: { "config.json": Buffer.from("{}"), "tokenizer.json": Buffer.from('{"a":1}'), "model.safetensors": weights },
    listing: (entries) => entries,
    intercept: () => false,
  };
  return fake;
}

function answer(fake: FakeHub, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "";
  fake.requests.push({ url, range: request.headers.range, authorization: request.headers.authorization });
  if (fake.intercept(request, response)) return;
  const json = (value: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  const [path = ""] = url.split("?");
  if (path === "/api/models/owner/name/revision/main") json({ _id: "1", id: "owner/name", sha: commit });
  else if (path === `/api/models/owner/name/revision/${commit}`) json({ _id: "1", id: "owner/name", sha: commit });
  else if (path === `/api/models/owner/name/tree/${commit}`) json(fake.listing(entriesOf(fake)));
  else if (path.startsWith(`/owner/name/resolve/${commit}/`)) sendFile(fake, path, request, response);
  else response.writeHead(404, { "x-error-code": "RepoNotFound" }).end("{}");
}

function entriesOf(fake: FakeHub): Listed[] {
  return Object.entries(fake.files).map(([path, bytes]) => {
    const entry = { type: "file", path, size: bytes.length, oid: gitSha1(bytes) };
    const large = path.endsWith(".safetensors");
    return large ? { ...entry, lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : entry;
  });
}

function sendFile(fake: FakeHub, path: string, request: IncomingMessage, response: ServerResponse): void {
  const bytes = fake.files[decodeURIComponent(path.split("/").at(-1) ?? "")];
  if (!bytes) {
    response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  response.setHeader("etag", `"${sha256(bytes)}"`).setHeader("x-repo-commit", commit);
  if (start >= bytes.length && start > 0) response.writeHead(416).end();
  else if (start > 0) {
    response.writeHead(206, { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(start));
  } else response.end(bytes);
}

const resolve = (options: ResolveOptions = {}, name = "owner/name") =>
  resolveBase(name, {
    cacheDir,
    endpoint: hub.endpoint,
    retryDelay: 1,
    timeout: 5000,
    onProgress: (event) => events.push(event),
    ...options,
  });

const snapshot = () => join(cacheDir, "models--owner--name", "snapshots", commit);
const fileRequests = () => hub.requests.filter(({ url }) => url.includes("/resolve/"));
const filesUnder = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();

describe("names", () => {
  test("a folder is itself, and nothing is asked", async () => {
    expect(await resolve({}, root)).toBe(root);
    expect(hub.requests).toEqual([]);
  });

  test("a file is no base", async () => {
    writeFileSync(join(root, "model.bin"), "");
    await expect(resolve({}, join(root, "model.bin"))).rejects.toThrow(/is a file; give the folder/);
  });

  test.each([
    ["owner/name", "owner/name", "main"],
    ["Qwen/Qwen2.5-0.5B@v1.0", "Qwen/Qwen2.5-0.5B", "v1.0"],
    ["a_b/c@refs/pr/1", "a_b/c", "refs/pr/1"],
    [`o/n@${commit}`, "o/n", commit],
  ])("%s is a hub id", (text, repo, revision) => {
    expect(parseHubId(text)).toEqual({ repo, revision });
  });

  test.each([
    "../../x",
    "a/b/../../c",
    "a/..",
    "../a",
    "a/b/c",
    "name",
    "",
    "a/",
    "/a/b",
    "./a",
    "a/.hidden",
    "a/b.",
    "-a/b",
    "a--b/c",
    "a/b--c",
    "a/b.git",
    "a\\b/c",
    "a/b\0",
    "a/b\n",
    "a /b",
    "a/b%2e",
    "ä/b",
    "a/b@",
    "a/b@../x",
    "a/b@x/../y",
    "a/b@/x",
    "a/b@x//y",
    "a/b@.x",
    "a/b@x\0",
    "a/b@x.lock",
    "a/b@x@y",
    "C:/b",
    "http://x/y",
    "~/a",
    `a/${"b".repeat(96)}`,
  ])("%j is refused before anything is asked or written", async (name) => {
    await expect(resolve({}, name)).rejects.toThrow(InputError);
    expect(hub.requests).toEqual([]);
    expect(existsSync(cacheDir)).toBe(false);
  });

  test("no accepted id leads out of the cache", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "B", "1", ".", "-", "_", "/", "@", "\\", "\0", ":", " ") });
    fc.assert(
      fc.property(text, (name) => {
        try {
          const { repo, revision } = parseHubId(name);
          expect(join("/cache", repo).split("/").length).toBe(4);
          expect(join("/refs", revision)).toBe(`/refs/${revision}`);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("downloads", () => {
  test("the needed files come once, in the Python library's layout", async () => {
    Object.assign(hub.files, { "pytorch_model.bin": Buffer.from("pickle"), "README.md": Buffer.from("#") });
    expect(await resolve()).toBe(snapshot());
    expect(filesUnder(snapshot())).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
    expect(readlinkSync(join(snapshot(), "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(readlinkSync(join(snapshot(), "config.json"))).toBe(`../../blobs/${gitSha1(Buffer.from("{}"))}`);
    expect(readFileSync(join(cacheDir, "models--owner--name/refs/main"), "utf8")).toBe(commit);
    expect(filesUnder(cacheDir).filter((name) => /incomplete|tmp|petl\.lock/.test(name))).toEqual([]);
    const asked = fileRequests().length;
    await resolve();
    expect(fileRequests().length).toBe(asked);
  });

  test("a pinned commit that is there needs no network at all", async () => {
    await resolve({}, `owner/name@${commit}`);
    const asked = hub.requests.length;
    expect(await resolve({}, `owner/name@${commit}`)).toBe(snapshot());
    expect(hub.requests.length).toBe(asked);
    expect(existsSync(join(cacheDir, "models--owner--name/refs"))).toBe(false);
  });

  test("progress ends with every byte of every file", async () => {
    await resolve();
    const last = events.at(-1);
    const all = Object.values(hub.files).reduce((sum, bytes) => sum + bytes.length, 0);
    expect(last).toMatchObject({ type: "download", receivedOfAll: all, sizeOfAll: all });
  });

  test("without weights, only the small files come; the weights come when they are needed", async () => {
    await resolve({ weights: false });
    expect(filesUnder(snapshot())).toEqual(["config.json", "tokenizer.json"]);
    await resolve();
    expect(filesUnder(snapshot())).toContain("model.safetensors");
  });

  test("all shards of an index come", async () => {
    const index = { weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } };
    hub.files = {
      "config.json": Buffer.from("{}"),
      "model.safetensors.index.json": Buffer.from(JSON.stringify(index)),
      "model-00001-of-00002.safetensors": Buffer.from("one"),
      "model-00002-of-00002.safetensors": Buffer.from("two"),
      "other.safetensors": Buffer.from("three"),
    };
    await resolve();
    expect(filesUnder(snapshot())).toEqual(
      Object.keys(hub.files)
        .filter((name) => !name.startsWith("other"))
        .sort(),
    );
    rmSync(join(snapshot(), "model-00002-of-00002.safetensors"));
    await expect(resolve({ offline: true })).rejects.toThrow("without model-00002-of-00002.safetensors");
  });

  test("an adapter's files come, its pickle only where there is nothing else", async () => {
    hub.files = {
      "adapter_config.json": Buffer.from("{}"),
      "adapter_model.safetensors": Buffer.from("a"),
      "adapter_model.bin": Buffer.from("b"),
    };
    await resolve();
    expect(filesUnder(snapshot())).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
  });

  test("an interrupted download goes on where it broke, by range, within one call", async () => {
    let breaks = 2;
    hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors") || breaks === 0) return false;
      breaks--;
      const start = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, { "content-length": weights.length - start });
      response.write(weights.subarray(start, start + 100_000), () => response.destroy());
      return true;
    };
    await resolve();
    const ranges = fileRequests()
      .filter(({ url }) => url.endsWith("model.safetensors"))
      .map(({ range }) => range);
    expect(ranges.length).toBe(3);
    expect(ranges[0]).toBeUndefined();
    const starts = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")?.[1]));
    expect(starts[1]).toBeGreaterThan(0);
    expect(starts[2]).toBeGreaterThan(starts[1] ?? 0);
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
  });

  test("what an earlier process had received is not asked for again", async () => {
    const blobs = join(cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 200_000));
    await resolve();
    expect(fileRequests().find(({ url }) => url.endsWith("model.safetensors"))?.range).toBe("bytes=200000-");
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
  });

  test.each([
    ["other bytes", Buffer.alloc(1000, 7)],
    ["more bytes than the file has", Buffer.alloc(weights.length + 5)],
  ])("an earlier part of %s is thrown away and the file comes anew", async (_, part) => {
    const blobs = join(cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), part);
    await resolve();
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
  });

  test("a server without ranges sends the whole file again, and it is right", async () => {
    const blobs = join(cacheDir, "models--owner--name/blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 1000));
    hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.end(weights);
      return true;
    };
    await resolve();
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
  });

  test.each<[string, (entry: Listed) => Listed]>([
    ["another hash", (entry) => ({ ...entry, lfs: { oid: "0".repeat(64), size: entry.size, pointerSize: 1 } })],
    ["a smaller size", (entry) => ({ ...entry, lfs: { oid: sha256(weights), size: entry.size - 1, pointerSize: 1 } })],
    ["a larger size", (entry) => ({ ...entry, lfs: { oid: sha256(weights), size: entry.size + 1, pointerSize: 1 } })],
  ])("a file announced with %s never becomes a file of the snapshot", async (_, forge) => {
    hub.listing = (entries) => entries.map((entry) => (entry.lfs ? forge(entry) : entry));
    await expect(resolve()).rejects.toThrow(MachineError);
    expect(filesUnder(snapshot())).not.toContain("model.safetensors");
    expect(existsSync(join(cacheDir, "models--owner--name/refs/main"))).toBe(false);
    await expect(resolve({ offline: true })).rejects.toThrow("isn't in the cache");
  });

  test("an empty file comes too", async () => {
    hub.files["merges.txt"] = Buffer.alloc(0);
    await resolve();
    expect(readFileSync(join(snapshot(), "merges.txt")).length).toBe(0);
  });

  test("a process that finds another one downloading waits, and then downloads nothing twice", async () => {
    await Promise.all([resolve(), resolve()]);
    const asked = fileRequests().map(({ url }) => url);
    expect(asked.length).toBe(new Set(asked).size);
    expect(events.filter(({ type }) => type === "waiting").length).toBe(1);
  });

  test("the lock of a process that died is taken over", async () => {
    const locks = join(cacheDir, ".locks/models--owner--name");
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(locks, "petl.lock"), `${2 ** 22 + 1} ${(await import("node:os")).hostname()} abc`);
    await resolve();
    expect(events.filter(({ type }) => type === "waiting")).toEqual([]);
    expect(readdirSync(locks)).toEqual([]);
  });

  test("a call that is given up stops waiting and leaves what it had received", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.writeHead(200, { "content-length": weights.length });
      response.write(weights.subarray(0, 100_000));
      return true;
    };
    const controller = new AbortController();
    const onProgress = (event: HubEvent) => {
      if (event.type === "download" && event.received > 0 && event.size === weights.length) controller.abort();
    };
    await expect(resolve({ signal: controller.signal, onProgress })).rejects.toHaveProperty("name", "AbortError");
    hub.intercept = () => false;
    await resolve();
    expect(fileRequests().at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test("nothing is written to stdout", async () => {
    const stdout = vi.spyOn(process.stdout, "write");
    const debug = vi.spyOn(console, "debug");
    const info = vi.spyOn(console, "info");
    await resolve();
    for (const spy of [stdout, debug, info]) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe("tokens", () => {
  test("the token goes to the hub and not to the host that large files are redirected to", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.endsWith("model.safetensors")) return false;
      response.writeHead(302, { location: `${cdn.endpoint}${request.url}` }).end();
      return true;
    };
    await resolve({ token: "secret" });
    expect(hub.requests.map(({ authorization }) => authorization)).toEqual(hub.requests.map(() => "Bearer secret"));
    expect(cdn.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(readFileSync(join(snapshot(), "model.safetensors")).equals(weights)).toBe(true);
  });

  test("the next page of a listing on another host is asked for without the token", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("/tree/")) return false;
      response.setHeader("link", `<${cdn.endpoint}${request.url}>; rel="next"`).end("[]");
      return true;
    };
    await resolve({ token: "secret" });
    expect(cdn.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("no message tells the token", async () => {
    hub.intercept = (_, response) => {
      response.writeHead(401).end("secret");
      return true;
    };
    const fails = resolve({ token: "secret" });
    await expect(fails).rejects.toThrow(/refuses the token .*HF_TOKEN$/);
    await expect(fails).rejects.not.toThrow(/secret/);
  });
});

describe("offline", () => {
  test.each([
    ["the option", { offline: true }, ""],
    ["HF_HUB_OFFLINE", {}, "1"],
  ])("%s finds the cached snapshot through its ref without the network", async (_, options, variable) => {
    await resolve();
    vi.stubEnv("HF_HUB_OFFLINE", variable);
    const asked = hub.requests.length;
    expect(await resolve(options)).toBe(snapshot());
    expect(await resolve(options, `owner/name@${commit}`)).toBe(snapshot());
    expect(hub.requests.length).toBe(asked);
  });

  test("what isn't in the cache is told with the way out", async () => {
    await expect(resolve({ offline: true })).rejects.toThrow(
      /^"owner\/name" at revision "main" isn't in the cache ".*"; run once without --offline .*, or give a folder$/,
    );
    expect(hub.requests).toEqual([]);
  });

  test("a snapshot without weights is told as partly there", async () => {
    await resolve({ weights: false });
    await expect(resolve({ offline: true })).rejects.toThrow("only partly in the cache");
    expect(await resolve({ offline: true, weights: false })).toBe(snapshot());
  });

  test("an unreachable hub is no hindrance where the snapshot is cached, and it is said", async () => {
    await resolve();
    const endpoint = "http://127.0.0.1:1";
    expect(await resolve({ endpoint })).toBe(snapshot());
    expect(events.at(-1)).toEqual({ type: "cached", reason: expect.stringContaining("can't reach") });
  });
});

describe("refusals are one line that says what to do", () => {
  const answering = (status: number, code?: string) => {
    hub.intercept = (_, response) => {
      response.writeHead(status, code ? { "x-error-code": code } : {}).end('{"error":"x"}');
      return true;
    };
  };

  test.each<[number, string | undefined, string | undefined, typeof InputError | typeof MachineError, RegExp]>([
    [404, "RepoNotFound", undefined, InputError, /has no model "owner\/name" .*spelling.*HF_TOKEN/],
    [401, "RepoNotFound", undefined, InputError, /has no model "owner\/name"/],
    [401, undefined, undefined, InputError, /has no model "owner\/name"/],
    [404, "RevisionNotFound", undefined, InputError, /has no revision "main"/],
    [401, "GatedRepo", undefined, InputError, /accept them at http.*\/owner\/name, and set HF_TOKEN/],
    [403, "GatedRepo", "t", InputError, /accept them at http.*\/owner\/name, with the account of the token/],
    [500, undefined, undefined, MachineError, /overloaded or out of order \(status 500\)/],
    [418, undefined, undefined, MachineError, /answered with status 418/],
  ])("status %s %s", async (status, code, token, kind, message) => {
    answering(status, code);
    const fails = resolve(token ? { token } : {});
    await expect(fails).rejects.toThrow(kind);
    await expect(fails).rejects.toThrow(message);
    await expect(fails).rejects.toHaveProperty("message", expect.not.stringContaining("\n"));
  });

  test("a gated repository shows its listing and refuses its files", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("/resolve/")) return false;
      response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
      return true;
    };
    await expect(resolve()).rejects.toThrow(/terms are accepted/);
  });

  test("no network", async () => {
    await expect(resolve({ endpoint: "http://127.0.0.1:1" })).rejects.toThrow(MachineError);
    await expect(resolve({ endpoint: "http://127.0.0.1:1" })).rejects.toThrow(/can't reach .*--offline/);
  });

  test("a silent hub", async () => {
    hub.intercept = () => true;
    await expect(resolve({ timeout: 50 })).rejects.toThrow(/can't reach .* \(no answer in time\)/);
  });

  test("a page that is no answer of a hub", async () => {
    hub.intercept = (_, response) => {
      response.end("<html>please log in</html>");
      return true;
    };
    await expect(resolve()).rejects.toThrow(/gave no answer of a hub/);
  });

  test("an address that is none", async () => {
    await expect(resolve({ endpoint: "huggingface.co" })).rejects.toThrow(/no http or https address/);
  });

  test("pickled weights alone are refused by name", async () => {
    hub.files = { "config.json": Buffer.from("{}"), "pytorch_model.bin": Buffer.from("x") };
    await expect(resolve()).rejects.toThrow(/has no model.safetensors .*; pytorch_model.bin can run code/);
    expect(existsSync(cacheDir)).toBe(false);
  });
});

describe("hostile hubs", () => {
  test.each(["../../evil", "..", "a/b", "/etc/x", "a\\b", "a\0b"])(
    "a listing with %j is refused whole",
    async (path) => {
      hub.listing = (entries) => [...entries, { type: "file", path, size: 1, oid: "0".repeat(40) }];
      await expect(resolve()).rejects.toThrow(/the listing of "owner\/name" holds the file name/);
      expect(existsSync(cacheDir)).toBe(false);
    },
  );

  test("a hash that is a path is refused", async () => {
    hub.listing = (entries) => entries.map((entry) => ({ ...entry, oid: "../../../evil" }));
    await expect(resolve()).rejects.toThrow(/gave no answer of a hub/);
    expect(existsSync(cacheDir)).toBe(false);
  });

  test.each(["../../evil.safetensors", "a/b.safetensors", "model.bin", "absent.safetensors"])(
    "an index that names the shard %j is refused",
    async (shard) => {
      hub.files = {
        "config.json": Buffer.from("{}"),
        "model.safetensors.index.json": Buffer.from(JSON.stringify({ weight_map: { a: shard } })),
      };
      await expect(resolve()).rejects.toThrow(InputError);
      expect(existsSync(join(cacheDir, "models--owner--name/refs"))).toBe(false);
    },
  );

  test("a commit that is a path is refused", async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.includes("/revision/")) return false;
      response.end(JSON.stringify({ sha: "../../evil" }));
      return true;
    };
    await expect(resolve()).rejects.toThrow(/gave no answer of a hub/);
  });
});

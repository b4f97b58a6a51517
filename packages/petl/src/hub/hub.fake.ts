import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HubEvent, type ResolveOptions, resolveBase } from "./hub.ts";

/** The one commit of the one repository, `owner/name`, that a fake hub has. */
export const commit = "0123456789abcdef0123456789abcdef01234567";
export const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256));
export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

export interface Listed {
  type: string;
  path: string;
  size: number;
  oid: string;
  lfs?: { oid: string; size: number; pointerSize: number };
}

/** A hub with one repository, which tests bend before they ask. */
export interface FakeHub {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
  readonly requests: { url: string; range: string | undefined; authorization: string | undefined }[];
  files: Record<string, Buffer>;
  /** a further name of its commit */
  branch?: string;
  listing: (entries: Listed[]) => unknown;
  /** May answer in the hub's place. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** A hub, another host, and an empty cache for one test. */
export interface Trial {
  readonly hub: FakeHub;
  readonly cdn: FakeHub;
  readonly root: string;
  readonly cacheDir: string;
  readonly snapshot: string;
  readonly events: HubEvent[];
  readonly resolve: (options?: ResolveOptions, name?: string) => Promise<string>;
  readonly fileRequests: () => FakeHub["requests"];
  readonly close: () => Promise<void>;
}

export async function openTrial(): Promise<Trial> {
  const [hub, cdn] = [await startHub(), await startHub()];
  const root = mkdtempSync(join(tmpdir(), "petl-hub-"));
  const cacheDir = join(root, "cache");
  const events: HubEvent[] = [];
  const onProgress = (event: HubEvent) => events.push(event);
  const settings = { cacheDir, endpoint: hub.endpoint, retryDelay: 1, timeout: 5000, onProgress };
  return {
    hub,
    cdn,
    root,
    cacheDir,
    events,
    snapshot: join(cacheDir, "models--owner--name", "snapshots", commit),
    resolve: (options = {}, name = "owner/name") => resolveBase(name, { ...settings, ...options }),
    fileRequests: () => hub.requests.filter(({ url }) => url.includes("/resolve/")),
    async close() {
      await hub.close();
      await cdn.close();
      rmSync(root, { recursive: true });
    },
  };
}

async function startHub(): Promise<FakeHub> {
  const server = createServer((request, response) => answer(fake, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeHub = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
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
  const [, question, revision] = /^\/api\/(?:models|datasets)\/owner\/name\/(revision|tree)\/([^/]+)$/.exec(path) ?? [];
  const [, file] = /^(?:\/datasets)?\/owner\/name\/resolve\/[0-9a-f]{40}\/(.+)$/.exec(path) ?? [];
  const known = revision === commit || revision === "main" || decodeURIComponent(revision ?? "") === fake.branch;
  if (question === "revision" && known) json({ _id: "1", id: "owner/name", sha: commit });
  else if (question === "tree" && known) json(fake.listing(entriesOf(fake)));
  else if (file !== undefined) sendFile(fake, file, request, response);
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
  const bytes = fake.files[path.split("/").map(decodeURIComponent).join("/")];
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

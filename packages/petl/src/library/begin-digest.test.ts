import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { baseDigest } from "./base-digest.ts";
import { beginDigest } from "./begin-digest.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "petl-digest-"));
  await writeFile(join(folder, "config.json"), "{}");
  await writeFile(join(folder, "model.safetensors"), new Uint8Array(2 ** 20).fill(7));
});
afterAll(() => rm(folder, { recursive: true }));

test("the digest of the thread is the digest, and another bit of the weights another one", async () => {
  const digest = await baseDigest(directory(folder));
  expect(await beginDigest(folder).sha256()).toBe(digest);
  await writeFile(join(folder, "model.safetensors"), new Uint8Array(2 ** 20).fill(7).fill(6, 2 ** 19, 2 ** 19 + 1));
  expect(await beginDigest(folder).sha256()).not.toBe(digest);
});

test("what cannot be read is told as without the thread", async () => {
  const nowhere = join(folder, "nowhere");
  const direct = await baseDigest(directory(nowhere)).catch((error: unknown) => error);
  expect(direct).toBeInstanceOf(Error);
  await expect(beginDigest(nowhere).sha256()).rejects.toEqual(direct);
});

test("a thread that is stopped tells so to whoever waits, and to nobody else", async () => {
  const begun = beginDigest(folder);
  begun.stop();
  await expect(begun.sha256()).rejects.toThrow(/^the thread that reads the base stopped/);
});

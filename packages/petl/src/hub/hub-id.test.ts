import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@petl/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { commit } from "./hub.fake.ts";
import { resolveBase } from "./hub.ts";
import { parseHubId } from "./hub-id.ts";

test.each([
  ["owner/name", "owner/name", "main"],
  ["Qwen/Qwen2.5-0.5B@v1.0", "Qwen/Qwen2.5-0.5B", "v1.0"],
  ["a_b/c@refs/pr/1", "a_b/c", "refs/pr/1"],
  [`o/n@${commit}`, "o/n", commit],
])("%s is a hub id", (text, repo, revision) => {
  expect(parseHubId(text)).toEqual({ repo, revision });
});

test.each([
  "../../nowhere",
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
  const cacheDir = "/nowhere/cache";
  await expect(resolveBase(name, { cacheDir, endpoint: "http://127.0.0.1:1" })).rejects.toThrow(InputError);
  expect(existsSync("/nowhere")).toBe(false);
});

test("no accepted id leads out of the cache", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "B", "1", ".", "-", "_", "/", "@", "\\", "\0", ":", " ") });
  const part = fc.string({ unit: fc.constantFrom("a", "B", "1", ".", "-", "_"), minLength: 1, maxLength: 4 });
  const likely = fc.tuple(part, part, fc.constantFrom("", "@a", "@..", "@a/b")).map(([a, b, end]) => `${a}/${b}${end}`);
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(text, likely), (name) => {
      try {
        const { repo, revision } = parseHubId(name);
        expect(join("/cache", repo).split("/").length).toBe(4);
        expect(join("/refs", revision)).toBe(`/refs/${revision}`);
        accepted++;
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100); // else the names are too wild to tell
});

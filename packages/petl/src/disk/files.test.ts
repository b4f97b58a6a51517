import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@petl/core";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { directory, realLocation } from "./files.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "petl-files-"));
  mkdirSync(join(root, "blobs"));
  mkdirSync(join(root, "base", "inner"), { recursive: true });
  writeFileSync(join(root, "blobs", "abc"), Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
  writeFileSync(join(root, "base", "config.json"), "{}");
  symlinkSync("../blobs/abc", join(root, "base", "model.safetensors"));
  symlinkSync("../blobs/gone", join(root, "base", "dangling"));
  symlinkSync("circle", join(root, "base", "circle"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("files are listed in order, links to files among them, folders and links to nothing not", async () => {
  const folder = directory(join(root, "base/"));
  expect(folder.name).toBe("base");
  expect(await folder.files()).toEqual(["config.json", "model.safetensors"]);
});

test("any range within the file reads as that range of its bytes, through a link", async () => {
  const source = await directory(join(root, "base")).open("model.safetensors");
  expect([source.name, source.size]).toEqual(["model.safetensors", 8]);
  await fc.assert(
    fc.asyncProperty(fc.nat(8), fc.nat(8), async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const bytes = await source.read(start, end - start);
      expect([...bytes]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(start, end));
      expect(bytes.byteOffset).toBe(0); // so that a view of wider numbers may stand on it
    }),
  );
});

test("a range past the end and a file that changed since it was opened are refused", async () => {
  const source = await directory(join(root, "base")).open("model.safetensors");
  await expect(async () => source.read(4, 5)).rejects.toThrow("ends at byte 8, before 9");
  writeFileSync(join(root, "blobs", "abc"), "other bytes");
  await expect(source.read(0, 4)).rejects.toThrow("was changed while it was being read");
});

test.each(["../blobs/abc", "..", ".", "", "inner/x", "a\\b", "a\0b", "C:x", "/etc/passwd", "a\nb", "x.", "x "])(
  "the name %j doesn't leave the folder",
  async (name) => {
    await expect(directory(join(root, "base")).open(name)).rejects.toThrow(InputError);
  },
);

test("what can't be read says why", async () => {
  const folder = directory(join(root, "base"));
  await expect(folder.open("nothing")).rejects.toThrow(/can't read ".*nothing": it doesn't exist/);
  await expect(folder.open("inner")).rejects.toThrow("is not a regular file");
  await expect(directory(join(root, "nowhere")).files()).rejects.toThrow(/can't read ".*nowhere": it doesn't exist/);
});

test("the real location of a link is the file it leads to", async () => {
  expect(await realLocation(join(root, "base", "model.safetensors"))).toEqual({
    folder: join(root, "blobs"),
    name: "abc",
  });
});

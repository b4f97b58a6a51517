import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { isPlainName, memoryFolder, memorySource, readAtOnce, readBytes, readJson, readText } from "./folder.ts";

const folder = memoryFolder("base", {
  "config.json": '\ufeff{"model_type": "bert"}',
  "bad.json": '{\n"a" 1}',
  "latin.txt": new Uint8Array([0x63, 0xe9]),
});

test("a memory folder lists and reads its files", async () => {
  expect(await folder.files()).toEqual(["config.json", "bad.json", "latin.txt"]);
  const source = await folder.open("latin.txt");
  expect([source.name, source.size, await source.read(1, 1)]).toEqual(["latin.txt", 2, new Uint8Array([0xe9])]);
});

test("what was read belongs to the reader: writing into it leaves the folder as it was", async () => {
  // a Node Buffer's slice, unlike an array's, is a view
  for (const bytes of [new Uint8Array([1, 2]), Buffer.from([1, 2])]) {
    const source = memorySource("a", bytes);
    (await source.read(0, 2)).fill(0);
    expect(await source.read(0, 2)).toEqual(new Uint8Array([1, 2]));
  }
});

test("texts are UTF-8 without their byte order mark, JSON is parsed", async () => {
  expect(await readText(folder, "config.json")).toBe('{"model_type": "bert"}');
  expect(await readJson(folder, "config.json")).toEqual({ model_type: "bert" });
});

test("errors name the folder and the file", async () => {
  await expect(readText(folder, "latin.txt")).rejects.toThrow(new InputError("base/latin.txt: is not UTF-8 text"));
  await expect(readJson(folder, "bad.json")).rejects.toThrow(
    new InputError('base/bad.json: line 2, column 5: found "1" where JSON needs ":"'),
  );
  await expect(readJson(folder, "confg.json")).rejects.toThrow(
    new InputError(
      'base: has no file "confg.json"; did you mean "config.json"?; its files: bad.json, config.json, latin.txt',
    ),
  );
});

test("a range outside of a source is refused before it is read, and so is a short answer", async () => {
  const never = { ...memorySource("a", new Uint8Array(4)), read: () => Promise.reject(new Error("was read")) };
  await expect(readBytes(never, 2, 3)).rejects.toThrow(new InputError("a: ends at byte 4, before 5"));
  const short = { name: "a", size: 4, read: async () => new Uint8Array(1) };
  await expect(readBytes(short, 0, 4)).rejects.toThrow(/gave 1 of the 4 bytes at 0/);
});

test("a text too long for a string is refused unread", async () => {
  const huge = { name: "a.json", size: 2 ** 40, read: () => Promise.reject(new Error("was read")) };
  const place = { name: "base", files: async () => ["a.json"], open: async () => huge };
  await expect(readJson(place, "a.json")).rejects.toThrow(/base\/a.json: 1099511627776 bytes are too many/);
});

describe("a plain name stays inside its folder", () => {
  test.each(["model.safetensors", "a b", ".hidden", "..a", "模型.json"])("%j does", (name) => {
    expect(isPlainName(name)).toBe(true);
  });
  test.each(["", ".", "..", "a/b", "../a", "a\\b", "C:a", "a\0", "a\n", "a.", "a "])("%j does not", (name) => {
    expect(isPlainName(name)).toBe(false);
  });
});

test("a small file that is read at once is asked for once, and gives what the file gives", async () => {
  const source = memorySource("a", new Uint8Array([1, 2, 3, 4]));
  const asked: number[] = [];
  const counted = readAtOnce({
    ...source,
    read(offset, length) {
      asked.push(length);
      return source.read(offset, length);
    },
  });
  const parts = await Promise.all([counted.read(0, 2), counted.read(1, 3), counted.read(4, 0)]);
  expect(parts).toEqual([new Uint8Array([1, 2]), new Uint8Array([2, 3, 4]), new Uint8Array([])]);
  expect(asked).toEqual([4]);
});

import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@petl/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explainFileError, MachineError } from "../machine-error.ts";
import { removeFolderSafely, writeFileSafely, writeFolderSafely } from "./safe-write.ts";

const bytes = (text: string) => [new TextEncoder().encode(text)];
let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "petl-write-")));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Every path below root with its content. */
function tree(folder = root): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, "utf8")]),
  );
}

async function* failingAfter(text: string): AsyncGenerator<Uint8Array> {
  yield* bytes(text);
  throw new Error("the writer failed");
}

test("a file is written whole, parents made, chunks in order, nothing else left", async () => {
  await writeFileSafely(join(root, "a/b/run.json"), [...bytes("one "), ...bytes("two")]);
  expect(tree()).toEqual({ "a/b/run.json": "one two" });
});

test("while a file is being written, readers see the old one", async () => {
  const path = join(root, "run.json");
  writeFileSync(path, "old");
  await writeFileSafely(
    path,
    (async function* () {
      yield* bytes("new");
      expect(readFileSync(path, "utf8")).toBe("old");
    })(),
  );
  expect(tree()).toEqual({ "run.json": "new" });
});

test("a write that fails changes nothing and leaves nothing", async () => {
  writeFileSync(join(root, "run.json"), "old");
  mkdirSync(join(root, "adapter"));
  writeFileSync(join(root, "adapter", "weights"), "old");
  const before = tree();
  await expect(writeFileSafely(join(root, "run.json"), failingAfter("new"))).rejects.toThrow("the writer failed");
  const fails = writeFolderSafely(join(root, "adapter"), (folder) => folder.write("weights", failingAfter("new")), {
    overwrite: true,
  });
  await expect(fails).rejects.toThrow("the writer failed");
  expect(tree()).toEqual(before);
  expect(readdirSync(root).sort()).toEqual(["adapter", "run.json"]);
});

test("a folder appears at once, with a manifest of every file's size and SHA-256", async () => {
  const path = join(root, "out");
  const result = await writeFolderSafely(
    path,
    async (folder) => {
      await folder.write("a", bytes("alpha"));
      await folder.write("b", bytes("beta"));
      expect(readdirSync(root)).not.toContain("out");
      return 7;
    },
    { manifest: { name: "manifest.json", content: (files) => ({ files }) } },
  );
  expect(result).toBe(7);
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  expect(JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"))).toEqual({
    files: { a: { bytes: 5, sha256: sha256("alpha") }, b: { bytes: 4, sha256: sha256("beta") } },
  });
  expect(readdirSync(root)).toEqual(["out"]);
});

test("a folder that isn't empty is refused unless it may be replaced, and then replaced whole", async () => {
  const path = join(root, "out");
  const write = (text: string, overwrite: boolean) =>
    writeFolderSafely(path, (folder) => folder.write(text, bytes(text)), { overwrite });
  mkdirSync(path);
  await write("first", false); // an empty folder is free
  await expect(write("second", false)).rejects.toThrow(/exists and isn't empty; .*`overwrite`/);
  expect(tree()).toEqual({ "out/first": "first" });
  await write("second", true);
  expect(tree()).toEqual({ "out/second": "second" });
  expect(readdirSync(root)).toEqual(["out"]);
});

test("the folder one works in is never replaced", async () => {
  const write = writeFolderSafely(process.cwd(), async () => {}, { overwrite: true });
  await expect(write).rejects.toThrow("holds the folder you work in");
  await expect(writeFolderSafely("/", async () => {}, { overwrite: true })).rejects.toThrow(InputError);
});

test.each(["../escape", "a/../../b", "/b", "a/", "..", "", "a\0b"])(
  "no file of a new folder leaves it: %j",
  async (name) => {
    const write = writeFolderSafely(join(root, "out"), (folder) => folder.write(name, bytes("x")));
    await expect(write).rejects.toThrow(InputError);
    expect(readdirSync(root)).toEqual([]);
  },
);

test("the same file twice is refused", async () => {
  const write = writeFolderSafely(join(root, "out"), async (folder) => {
    await folder.write("a", bytes("1"));
    await folder.write("a", bytes("2"));
  });
  await expect(write).rejects.toThrow('"a" was written twice');
});

test("a link to a folder stays a link, and what it leads to is replaced", async () => {
  mkdirSync(join(root, "real"));
  symlinkSync("real", join(root, "link"));
  await writeFolderSafely(join(root, "link"), (folder) => folder.write("a", bytes("1")));
  expect(readFileSync(join(root, "real", "a"), "utf8")).toBe("1");
  expect(realpathSync(join(root, "link"))).toBe(join(root, "real"));
});

test("the next write removes what a dead process left and leaves a live one's alone", async () => {
  const dead = 2 ** 22 + 1; // above the largest process id of Linux
  const live = process.ppid;
  for (const pid of [dead, live]) mkdirSync(join(root, `.out.${pid}-0123456789ab.tmp`));
  mkdirSync(join(root, `.other.${dead}-0123456789ab.tmp`));
  await writeFolderSafely(join(root, "out"), (folder) => folder.write("a", bytes("1")));
  expect(readdirSync(root).sort()).toEqual(
    [`.other.${dead}-0123456789ab.tmp`, `.out.${live}-0123456789ab.tmp`, "out"].sort(),
  );
});

test("a folder that a dead process had set aside comes back when nothing took its place", async () => {
  const old = join(root, `.out.${2 ** 22 + 1}-0123456789ab.old`);
  mkdirSync(old);
  writeFileSync(join(old, "a"), "kept");
  const write = writeFolderSafely(join(root, "out"), (folder) => folder.write("b", bytes("1")));
  await expect(write).rejects.toThrow("exists and isn't empty");
  expect(tree()).toEqual({ "out/a": "kept" });
});

test("a folder is removed at once", async () => {
  mkdirSync(join(root, "out"));
  writeFileSync(join(root, "out", "a"), "1");
  await removeFolderSafely(join(root, "out"));
  expect(readdirSync(root)).toEqual([]);
});

test("a path that runs through a file is the user's to mend", async () => {
  writeFileSync(join(root, "file"), "");
  for (const path of ["file/out", "file/deep/out"]) {
    const write = writeFolderSafely(join(root, path), async () => {});
    await expect(write).rejects.toThrow(/can't write ".*out": a part of the path is a file/);
    await expect(writeFileSafely(join(root, path), bytes("1"))).rejects.toThrow(InputError);
  }
  await expect(writeFolderSafely(join(root, "file"), async () => {})).rejects.toThrow(InputError);
});

test.runIf(process.platform === "linux")("a full disk is the machine's fault and says so", async () => {
  const { openSync, writeSync } = await import("node:fs");
  const fault = (() => {
    try {
      writeSync(openSync("/dev/full", "w"), "x");
    } catch (error) {
      return error;
    }
  })();
  const explained = explainFileError(fault, "write", "out");
  expect(explained).toBeInstanceOf(MachineError);
  expect(explained).toHaveProperty("message", expect.stringMatching(/^can't write "out": the disk is full; .*$/));
});

test.each([
  ["ENOSPC", MachineError],
  ["EFBIG", MachineError],
  ["EDQUOT", MachineError],
  ["EACCES", InputError],
  ["EROFS", InputError],
  ["ENOTDIR", InputError],
])("%s becomes one line of the right kind", (code, kind) => {
  const explained = explainFileError(Object.assign(new Error("x"), { code }), "write", "out");
  expect(explained).toBeInstanceOf(kind);
  expect(explained).toHaveProperty("message", expect.not.stringContaining("\n"));
});

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MachineError } from "../machine-error.ts";
import { writeFileSafely, writeFolderSafely } from "./safe-write.ts";

/** Counts the system calls that write, and lets the one with the number `failing` fail as on a full disk. */
const disk = vi.hoisted(() => {
  const state = { calls: 0, failing: -1, names: [] as string[] };
  const call = (name: string) => {
    state.names.push(name);
    if (state.calls++ === state.failing) throw Object.assign(new Error("full"), { code: "ENOSPC" });
  };
  return { state, call };
});

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const counted =
    <A extends unknown[], R>(name: string, work: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      disk.call(name);
      return work(...args);
    };
  const open: typeof real.open = async (...args) => {
    disk.call("open");
    const handle = await real.open(...args);
    const [writeFile, sync] = [handle.writeFile.bind(handle), handle.sync.bind(handle)];
    handle.writeFile = counted("writeFile", writeFile);
    handle.sync = counted("sync", sync);
    return handle;
  };
  return { ...real, open, rename: counted("rename", real.rename), mkdir: counted("mkdir", real.mkdir) };
});

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "petl-faults-")));
});
afterEach(() => rmSync(root, { recursive: true }));

function reset(failing: number): void {
  Object.assign(disk.state, { calls: 0, failing, names: [] });
}

const bytes = (text: string) => [new TextEncoder().encode(text)];

const writeOut = (overwrite: boolean) =>
  writeFolderSafely(
    join(root, "out"),
    async (folder) => {
      await folder.write("a", bytes("new"));
      await folder.write("b", bytes("new"));
    },
    { overwrite, manifest: { name: "manifest.json", content: (files) => files } },
  );

async function callsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  reset(-1);
  await work();
  return [...disk.state.names];
}

test("whichever call fails, a folder that was to be replaced is as it was, and nothing else is left", async () => {
  const restore = () => {
    rmSync(join(root, "out"), { recursive: true, force: true });
    mkdirSync(join(root, "out"));
    writeFileSync(join(root, "out", "a"), "old");
  };
  restore();
  const calls = await callsOf(() => writeOut(true));
  expect(calls.filter((name) => name === "rename").length).toBe(2);
  expect(calls.filter((name) => name === "sync").length).toBe(5); // three files, the folder, its parent
  for (let failing = 0; failing < calls.length; failing++) {
    restore();
    reset(failing);
    await expect(writeOut(true)).rejects.toThrow(MachineError);
    expect(readdirSync(root)).toEqual(["out"]);
    expect(readdirSync(join(root, "out"))).toEqual(["a"]);
    expect(readFileSync(join(root, "out", "a"), "utf8")).toBe("old");
  }
});

test("whichever call fails, a new folder isn't there at all", async () => {
  const calls = await callsOf(() => writeOut(false));
  for (let failing = 0; failing < calls.length; failing++) {
    rmSync(join(root, "out"), { recursive: true, force: true });
    reset(failing);
    await expect(writeOut(false)).rejects.toThrow(/^can't write ".*": the disk is full/);
    expect(readdirSync(root)).toEqual([]);
  }
});

test("whichever call fails before a file takes its name, the old file is as it was", async () => {
  const path = join(root, "run.json");
  const write = () => writeFileSafely(path, [...bytes("new "), ...bytes("bytes")]);
  const calls = await callsOf(write);
  const renamed = calls.indexOf("rename");
  expect(renamed).toBeGreaterThan(0);
  for (let failing = 0; failing <= renamed; failing++) {
    writeFileSync(path, "old");
    reset(failing);
    await expect(write()).rejects.toThrow(MachineError);
    expect(readdirSync(root)).toEqual(["run.json"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  }
});

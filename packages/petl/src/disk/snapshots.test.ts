import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadLatestSnapshot, saveSnapshot } from "./snapshots.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "petl-snapshots-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Files that tell their step in every byte. */
const filesOf = (step: number) => ({
  "parameters.bin": new Uint8Array(1000).fill(step % 251),
  "moments.bin": new Uint8Array(2000).fill(step % 251),
  empty: new Uint8Array(0),
});
const snapshotPath = (step: number) => join(dir, "checkpoints", `step-${String(step).padStart(8, "0")}`);

test("a snapshot comes back as it was saved", async () => {
  const path = await saveSnapshot(dir, 123, filesOf(123));
  expect(path).toBe(snapshotPath(123));
  expect(readdirSync(path).sort()).toEqual(["empty", "manifest.json", "moments.bin", "parameters.bin"]);
  expect(await loadLatestSnapshot(dir)).toEqual({ snapshot: { step: 123, path, files: filesOf(123) }, warnings: [] });
});

test("a run without snapshots has none", async () => {
  expect(await loadLatestSnapshot(join(dir, "nowhere"))).toEqual({ snapshot: undefined, warnings: [] });
});

test("the last two are kept, and the newest is the one of the highest step", async () => {
  for (const step of [1, 2, 30, 200]) await saveSnapshot(dir, step, filesOf(step));
  expect(readdirSync(join(dir, "checkpoints"))).toEqual(["step-00000030", "step-00000200"]);
  expect((await loadLatestSnapshot(dir)).snapshot?.step).toBe(200);
});

test("saving an earlier step removes the later ones of the run that was left", async () => {
  for (const step of [10, 20, 30]) await saveSnapshot(dir, step, filesOf(step));
  await saveSnapshot(dir, 25, filesOf(25));
  expect(readdirSync(join(dir, "checkpoints"))).toEqual(["step-00000020", "step-00000025"]);
});

test("the same step saved again replaces the first", async () => {
  await saveSnapshot(dir, 5, { state: new Uint8Array([1]), other: new Uint8Array([2]) });
  await saveSnapshot(dir, 5, { state: new Uint8Array([3]) });
  expect((await loadLatestSnapshot(dir)).snapshot?.files).toEqual({ state: new Uint8Array([3]) });
});

test.each<[string, (path: string) => void, RegExp]>([
  [
    "a changed byte",
    (p) => writeFileSync(join(p, "moments.bin"), new Uint8Array(2000).fill(9)),
    /bytes of "moments.bin" have changed/,
  ],
  ["a longer file", (p) => appendFileSync(join(p, "moments.bin"), "x"), /"moments.bin" has 2001 bytes, not 2000/],
  ["a missing file", (p) => rmSync(join(p, "empty")), /"empty" is missing/],
  ["no manifest", (p) => rmSync(join(p, "manifest.json")), /has no manifest.json/],
  ["half a manifest", (p) => writeFileSync(join(p, "manifest.json"), '{"step": 2, "fi'), /manifest.json can't be read/],
  [
    "a manifest of another shape",
    (p) => writeFileSync(join(p, "manifest.json"), '{"step": 2}'),
    /manifest.json can't be read/,
  ],
  [
    "a manifest that names a file outside",
    (p) => {
      const text = readFileSync(join(p, "manifest.json"), "utf8");
      writeFileSync(join(p, "manifest.json"), text.replace('"empty"', '"../../../x"'));
    },
    /x" is missing/,
  ],
])("a snapshot with %s is passed over with a warning, and the one before it is found", async (_, damage, reason) => {
  await saveSnapshot(dir, 1, filesOf(1));
  damage(await saveSnapshot(dir, 2, filesOf(2)));
  const { snapshot, warnings } = await loadLatestSnapshot(dir);
  expect(snapshot).toEqual({ step: 1, path: snapshotPath(1), files: filesOf(1) });
  expect(warnings).toEqual([expect.stringMatching(reason)]);
  expect(warnings[0]).toContain("step-00000002");
});

test("a snapshot under another step's name is passed over", async () => {
  const path = await saveSnapshot(dir, 2, filesOf(2));
  renameSync(path, snapshotPath(3));
  const { snapshot, warnings } = await loadLatestSnapshot(dir);
  expect(snapshot).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining("is of step 2")]);
});

test("a snapshot that a killed process had set aside while replacing it is found", async () => {
  const path = await saveSnapshot(dir, 2, filesOf(2));
  renameSync(path, join(dir, "checkpoints", `.step-00000002.${2 ** 22 + 1}-0123456789ab.old`));
  expect((await loadLatestSnapshot(dir)).snapshot?.files).toEqual(filesOf(2));
});

const built = new URL("../../dist/disk/snapshots.js", import.meta.url);
const savesForever = `
import { saveSnapshot } from ${JSON.stringify(built)};
const [dir, from] = process.argv.slice(2);
for (let step = Number(from); ; step++) {
  const files = { a: new Uint8Array(200_000).fill(step % 251), b: new Uint8Array(100_000).fill(step % 251) };
  if (step === Number(from)) console.log("saving");
  await saveSnapshot(dir, step % 3 ? step : step - 1, files); // every third save replaces a snapshot
  console.log(step);
}`;

test("however often a process is killed while it saves, a whole snapshot of one step is found", async () => {
  const build = mkdtempSync(join(tmpdir(), "petl-child-"));
  try {
    writeFileSync(join(build, "saves.mjs"), savesForever);
    let from = 1;
    for (const wait of [0, 3, 8, 17, 30, 45, 60]) {
      const saved = await killedWhileSaving(join(build, "saves.mjs"), from, wait);
      const { snapshot, warnings } = await loadLatestSnapshot(dir);
      expect(warnings).toEqual([]); // a kill never leaves half a snapshot under its real name
      if (saved === undefined && snapshot === undefined) continue; // killed in the middle of the very first one
      const value = snapshot?.files.a?.[0];
      expect(snapshot?.step).toBeGreaterThanOrEqual((saved ?? from) - 1);
      expect(snapshot?.files.a?.every((byte) => byte === value)).toBe(true);
      expect(snapshot?.files.b?.every((byte) => byte === value)).toBe(true);
      const stored = snapshot?.step ?? 0;
      expect([stored % 251, (stored + 1) % 251]).toContain(value);
      from = stored + 1;
    }
    expect(from).toBeGreaterThan(1); // else every child died before its first snapshot
  } finally {
    rmSync(build, { recursive: true });
  }
});

/** Kills the child some milliseconds after it began to save; the last step it says it saved. */
async function killedWhileSaving(script: string, from: number, wait: number): Promise<number | undefined> {
  const child = spawn(process.execPath, [script, dir, String(from)], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await new Promise((resolve) => setTimeout(resolve, wait));
  child.kill("SIGKILL");
  await closed;
  expect(child.signalCode).toBe("SIGKILL");
  return said
    .match(/\d+(?=\n)/g)
    ?.map(Number)
    .at(-1);
}

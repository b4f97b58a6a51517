import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The built command line, as users start it. */
export const bin = fileURLToPath(new URL("../../bin/petl.js", import.meta.url));
export const golden = fileURLToPath(new URL("../../../core/golden/", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `petl` in a process of its own, without network. */
export function petl(args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HF_HUB_OFFLINE: "1", NO_COLOR: "1" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Begins a run and kills it, goes on with it and kills it again, after so many milliseconds each; the last one is time
 * enough to end. Returns how often it was killed.
 */
export async function killedRuns(out: string, begin: readonly string[], waits: readonly number[]): Promise<number> {
  let kills = 0;
  for (const wait of waits) {
    const resumes = existsSync(join(out, "run.json"));
    const args = resumes ? [begin[0] ?? "", "--resume", out] : [...begin, "--overwrite"];
    const child = spawn(process.execPath, [bin, ...args], { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), wait);
    const code = await new Promise((resolve) => child.on("close", resolve));
    clearTimeout(timer);
    if (code === 0) break;
    kills++;
  }
  return kills;
}

/** The lines of stdout as JSON, of a run that must have gone well. */
export async function petlJson(args: readonly string[], cwd?: string): Promise<unknown[]> {
  const { code, stdout, stderr } = await petl(args, cwd);
  if (code !== 0) throw new Error(`petl ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const folders: string[] = [];
// not when a test is over: of tests that run at once nobody can say here which one made a folder
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone when the file's tests are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "petl-cli-"));
  folders.push(folder);
  return folder;
}

/** The largest difference of two nested lists of numbers; infinite where their forms differ. */
export function distance(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b);
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((most, each, i) => Math.max(most, distance(each, b[i])), 0);
}

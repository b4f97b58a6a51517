import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Folder } from "@petl/core";
import { parsedJson } from "@petl/core";
import { z } from "zod";
import { directory, namesIn } from "./files.ts";
import { type NewFolder, removeFolderSafely, writeFolderSafely } from "./safe-write.ts";
import { mendLeftovers } from "./temporary.ts";

/** The state of a training run after one step. */
interface Snapshot {
  readonly step: number;
  readonly path: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

const digest = z.strictObject({ bytes: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const manifestOf = z.strictObject({ step: z.int().nonnegative(), files: z.record(z.string(), digest) });
const manifestName = "manifest.json";
const kept = 2;

/** The folder of a run that holds its snapshots. */
export const snapshotsName = "checkpoints";
const folderOf = (dir: string, ...inside: readonly string[]) => join(dir, snapshotsName, ...inside);

/**
 * Writes `files` into `dir/checkpoints/step-00000123/`, whole or not at all, with a manifest of sizes and SHA-256.
 * Then this snapshot and the one before it stay and all others go: older ones, and later ones, which belong to a run
 * that was resumed from an earlier step. Returns the snapshot's path.
 */
export async function saveSnapshot(
  dir: string,
  step: number,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<string> {
  const path = folderOf(dir, folderName(step));
  const manifest = { name: manifestName, content: (digests: unknown) => ({ step, files: digests }) };
  const write = async (folder: NewFolder) => {
    for (const [file, bytes] of Object.entries(files)) await folder.write(file, pieces(bytes));
  };
  await writeFolderSafely(path, write, { overwrite: true, manifest });
  const steps = await savedSteps(dir);
  const staying = steps.filter((saved) => saved <= step).slice(-kept);
  for (const saved of steps) {
    if (!staying.includes(saved)) await removeFolderSafely(folderOf(dir, folderName(saved)));
  }
  return path;
}

/**
 * The newest snapshot of `dir` whose every byte agrees with its manifest; `undefined` where there is none. Each newer
 * one that had to be passed over is told in `warnings`, one line each.
 */
export async function loadLatestSnapshot(
  dir: string,
): Promise<{ readonly snapshot: Snapshot | undefined; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  for (const step of (await savedSteps(dir)).reverse()) {
    const path = folderOf(dir, folderName(step));
    const files = await verifiedFiles(path, step);
    if (typeof files !== "string") return { snapshot: { step, path, files }, warnings };
    warnings.push(`the snapshot "${path}" is damaged and was passed over: ${files}`);
  }
  return { snapshot: undefined, warnings };
}

/** The files of a snapshot, or what is wrong with it. */
async function verifiedFiles(path: string, step: number): Promise<Record<string, Uint8Array> | string> {
  const folder = directory(path);
  const present = await folder.files();
  if (!present.includes(manifestName)) return `it has no ${manifestName}`;
  const manifest = manifestOf.safeParse(parsedJson(new TextDecoder().decode(await contentOf(folder, manifestName))));
  if (!manifest.success) return `its ${manifestName} can't be read`;
  if (manifest.data.step !== step) return `its ${manifestName} is of step ${manifest.data.step}`;
  const files = new Map<string, Uint8Array>();
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.data.files)) {
    if (!present.includes(name)) return `"${name}" is missing`;
    const content = await contentOf(folder, name);
    if (content.length !== bytes) return `"${name}" has ${content.length} bytes, not ${bytes}`;
    if (sha256Of(content) !== sha256) return `the bytes of "${name}" have changed`;
    files.set(name, content);
  }
  return Object.fromEntries(files);
}

async function contentOf(folder: Folder, name: string): Promise<Uint8Array> {
  const source = await folder.open(name);
  return source.read(0, source.size);
}

function sha256Of(bytes: Uint8Array): string {
  const hash = createHash("sha256");
  for (const piece of pieces(bytes)) hash.update(piece);
  return hash.digest("hex");
}

/** Views of at most 64 MiB, since hashing takes less than 2 GiB at once. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  const length = 2 ** 26;
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

/** Steps of all snapshots, ascending; what a killed run had set aside is put back first. */
async function savedSteps(dir: string): Promise<number[]> {
  const folder = folderOf(dir);
  for (const name of await namesIn(folder)) {
    const hidden = /^\.(step-\d{8,})\./.exec(name);
    if (hidden) await mendLeftovers(join(folder, hidden[1]!));
  }
  const names = await namesIn(folder);
  return names
    .flatMap((name) => (/^step-\d{8,}$/.test(name) ? [Number(name.slice("step-".length))] : []))
    .filter((step) => names.includes(folderName(step)))
    .sort((a, b) => a - b);
}

function folderName(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

import { goldenBase, goldenFolder, goldenJson, logitsOf } from "../../checkpoints/golden.fake.ts";
import { memoryFolder } from "../../containers/folder.ts";
import { type AdapterFiles, readAdapter } from "../adapter-files.ts";
import { type LoadedAdapter, loadAdapterFiles, putOnBase } from "../adapter-on-base.ts";
import type { ForeignFormat, Hints } from "./foreign-format.ts";

/** A golden adapter, what a format made of it, and what was read from that again. */
export interface RoundTrip {
  readonly before: LoadedAdapter;
  readonly read: AdapterFiles;
  readonly after: LoadedAdapter;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly remarks: readonly string[];
  /** the greatest distance of the logits that PEFT computed to those of what was read again */
  readonly logits: readonly (readonly number[])[];
  readonly wanted: readonly unknown[];
}

export async function roundTrip(format: ForeignFormat, name: string, hints: Hints = {}): Promise<RoundTrip> {
  const golden = goldenJson(`adapters/${name}/golden.json`);
  const { base, rows, path } = await goldenBase(golden.base);
  const before = await loadAdapterFiles(goldenFolder(`adapters/${name}`), base);
  const { files, remarks = [] } = format.encode(before, { name: "tiny", baseName: "somebody/tiny" });
  const read = await readAdapter(memoryFolder("foreign", files), { base, ...hints });
  const after = await putOnBase(read, base);
  const logits = await logitsOf(after.adapted, after.phi, rows, path);
  return { before, read, after, files, remarks, logits, wanted: golden.logits };
}

import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError, parsedJson } from "@petl/core";
import { z } from "zod";
import { directory, namesIn } from "../disk/files.ts";
import { removeFolderSafely, writeFileSafely, writeFolderSafely } from "../disk/safe-write.ts";
import { sha256 } from "../disk/sha256.ts";
import type { Bank, BankEntry, BankLoadOptions } from "../library/bank.ts";
import { adapterDigest, contentsIn } from "../library/bank-adapter.ts";
import { locate } from "../library/locate.ts";
import { HttpError } from "./http-error.ts";
import type { Models } from "./models.ts";
import { oneAtATime } from "./one-at-a-time.ts";

/** The adapters of a server: in the bank, among the models, and in the folder that outlives it. */
export interface AdapterShelf {
  /** Serves an adapter as long as this process lives. */
  serve(name: string, source: string): Promise<readonly string[]>;
  /**
   * Copies an adapter, tries the copy, serves and keeps it. Under a name in use it takes the other's place.
   * @throws InputError for an adapter that does not fit, HttpError 409 for the base's name
   */
  keep(
    name: string,
    source: string,
    owner: string | null,
    options?: Pick<BankLoadOptions, "neutral">,
  ): Promise<BankEntry>;
  /** The path below the shared folder of a kept copy of an adapter. */
  copyOf(name: string): Promise<string>;
  /** How many adapters a tenant has. */
  count(owner: string): number;
  share(name: string, shared: readonly string[] | "all"): Promise<void>;
  remove(name: string): Promise<void>;
  /** Serves what was kept for this base. What no longer fits is left out and said. */
  restore(remark: (text: string) => void): Promise<void>;
}

const keptAdapter = z.strictObject({
  name: z.string(),
  owner: z.string().nullable(),
  /** seconds since 1970 */
  created: z.number(),
  /** SHA-256 of the adapter's files, which is its folder's name too */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  base_sha256: z.string(),
  shared: z.union([z.literal("all"), z.array(z.string())]),
});
type KeptAdapter = Readonly<z.infer<typeof keptAdapter>>;

/** Who else sees an adapter that the command line names at every start. */
const keptShare = keptAdapter.pick({ name: true, shared: true });

export function openAdapterShelf(folder: string, bank: Bank, models: Models, baseSha256: string): AdapterShelf {
  const contents = join(folder, "adapters");
  const names = join(folder, "names");
  const shares = join(folder, "shares");
  const kept = new Map<string, KeptAdapter>();
  const served = new Map<string, string>();
  const inTurn = oneAtATime();
  const fileOf = (name: string) => `${sha256(name).slice(0, 32)}.json`;
  const recordOf = (name: string) => join(names, fileOf(name));
  const shareOf = (name: string) => join(shares, fileOf(name));
  const write = async (record: KeptAdapter) => {
    kept.set(record.name, record);
    await writeFileSafely(recordOf(record.name), [Buffer.from(`${JSON.stringify(record)}\n`)]);
  };
  const forget = async (digest: string) => {
    const used = [...kept.values()].some((record) => record.digest === digest);
    if (!used) await removeFolderSafely(join(contents, digest));
  };
  return {
    async serve(name, source) {
      refuseBase(name, models);
      const { remarks } = await bank.load(name, source);
      served.set(name, await locate(source));
      models.add(name, null);
      return remarks;
    },
    count: (owner) => models.count(owner),
    copyOf: (name) =>
      inTurn(async () => {
        const source = kept.get(name) ? join(contents, kept.get(name)?.digest ?? "") : served.get(name);
        if (source === undefined) throw new InputError(`there is no adapter ${JSON.stringify(name)}`);
        return join("adapters", await copied(source, contents, name));
      }),
    keep: (name, source, owner, options = {}) =>
      inTurn(async () => {
        refuseBase(name, models);
        const digest = await copied(await locate(source), contents, name);
        const old = kept.get(name);
        try {
          const entry = await bank.load(name, join(contents, digest), options);
          const { created, shared } = models.add(name, owner);
          await write({
            name,
            owner,
            created,
            digest,
            base_sha256: baseSha256,
            shared: shared === "all" ? shared : [...shared],
          });
          if (old && old.digest !== digest) await forget(old.digest);
          return entry;
        } catch (error) {
          await forget(digest);
          throw error instanceof InputError ? named(error, digest, source) : error;
        }
      }),
    share: (name, shared) =>
      inTurn(async () => {
        models.share(name, shared);
        const record = kept.get(name);
        const list = shared === "all" ? shared : [...shared];
        if (record) await write({ ...record, shared: list });
        else if (served.has(name))
          await writeFileSafely(shareOf(name), [Buffer.from(`${JSON.stringify({ name, shared: list })}\n`)]);
      }),
    remove: (name) =>
      inTurn(async () => {
        models.remove(name);
        await bank.unload(name);
        served.delete(name);
        await rm(shareOf(name), { force: true });
        const record = kept.get(name);
        if (!record) return;
        kept.delete(name);
        await rm(recordOf(name), { force: true });
        await forget(record.digest);
      }),
    async restore(remark) {
      for (const file of (await namesIn(shares)).filter((each) => each.endsWith(".json"))) {
        const share = keptShare.safeParse(parsedJson(await readFile(join(shares, file), "utf8"))).data;
        if (share && served.has(share.name)) models.share(share.name, share.shared);
      }
      for (const file of (await namesIn(names)).filter((each) => each.endsWith(".json"))) {
        const record = keptAdapter.safeParse(parsedJson(await readFile(join(names, file), "utf8"))).data;
        if (record) kept.set(record.name, record);
        if (record?.base_sha256 !== baseSha256 || bank.list().some(({ name }) => name === record.name)) continue;
        try {
          await bank.load(record.name, join(contents, record.digest), { neutral: true });
          models.add(record.name, record.owner, record.created);
          models.share(record.name, record.shared);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          remark(`left out: ${error.message}`);
        }
      }
    },
  };
}

/** What is wrong with an adapter's copy, said of the folder that was given. */
const named = (error: InputError, digest: string, source: string): InputError =>
  new InputError(error.problems.map((problem) => problem.replaceAll(digest, basename(source))));

function refuseBase(name: string, { base }: Models): void {
  if (name === base)
    throw new HttpError(409, "that is the base's name; choose another one", { param: "lora_name", code: "name_taken" });
}

/** Copies an adapter's files into a folder that is named by their content; returns the name. */
async function copied(source: string, contents: string, name: string): Promise<string> {
  try {
    const digest = await adapterDigest(source);
    const target = join(contents, digest);
    if ((await namesIn(target)).length > 0) return digest;
    const folder = directory(source);
    const files = contentsIn(await folder.files());
    await writeFolderSafely(target, async (into) => {
      for (const file of files) await into.write(file, pieces(await folder.open(file)));
    });
    if ((await adapterDigest(target)) === digest) return digest;
    await removeFolderSafely(target);
    throw new InputError("it was changed while it was being read; load it again");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((problem) => `adapter ${JSON.stringify(name)}: ${problem}`));
  }
}

const pieceBytes = 2 ** 24;

async function* pieces({ size, read }: { size: number; read(offset: number, length: number): Promise<Uint8Array> }) {
  for (let at = 0; at < size; at += pieceBytes) yield await read(at, Math.min(pieceBytes, size - at));
}

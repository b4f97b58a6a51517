import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parsedJson } from "@petl/core";
import { z } from "zod";
import { directory, namesIn } from "../disk/files.ts";
import { removeFolderSafely, writeFolderSafely } from "../disk/safe-write.ts";
import { sha256 } from "../disk/sha256.ts";
import { HttpError, noSuch } from "./http-error.ts";
import type { Tenant } from "./keys.ts";

const keptFile = z.strictObject({
  id: z.string().regex(/^file-[0-9a-f]{24}$/),
  owner: z.string(),
  /** seconds since 1970 */
  created: z.number(),
  filename: z.string(),
  purpose: z.enum(["fine-tune", "fine-tune-results"]),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  /** the content's name in its folder; its ending says how rows are read */
  content: z.string(),
});
type KeptFile = Readonly<z.infer<typeof keptFile>>;

interface NewFile {
  readonly owner: string;
  readonly filename: string;
  readonly purpose: KeptFile["purpose"];
  readonly content: Uint8Array;
}

/** Tenants' files, each in a folder of its own below `folder/files`. */
export interface FileStore {
  /** @throws HttpError 429 where the tenant's files would be larger together than its limit */
  put(file: NewFile, limit?: number): Promise<KeptFile>;
  /** Oldest first. */
  ownedBy(tenant: Tenant): readonly KeptFile[];
  /** @throws HttpError 404 for what is not there or not the tenant's */
  owned(id: string, tenant: Tenant): KeptFile;
  /** The path of its content below the shared folder. */
  pathOf(file: KeptFile): string;
  contentOf(file: KeptFile): AsyncIterable<Uint8Array>;
  remove(file: KeptFile): Promise<void>;
}

/** Endings that say how rows are read; everything else is read as JSON lines, as OpenAI's files are. */
const endings = [".jsonl", ".csv", ".tsv", ".parquet", ".txt", ".json", ".safetensors"];

export async function openFileStore(folder: string): Promise<FileStore> {
  const root = join(folder, "files");
  const files = new Map<string, KeptFile>();
  const coming = new Set<Pick<KeptFile, "owner" | "bytes">>(); // counted before they are written
  for (const id of (await namesIn(root)).filter((name) => name.startsWith("file-"))) {
    const text = await readFile(join(root, id, "file.json"), "utf8").catch(() => "");
    const known = keptFile.safeParse(parsedJson(text)).data;
    if (known) files.set(known.id, known);
  }
  const pathOf = ({ id, content }: KeptFile) => join("files", id, content);
  return {
    async put({ owner, filename, purpose, content: bytes }, limit) {
      const used = [...files.values(), ...coming]
        .filter((file) => file.owner === owner)
        .reduce((sum, file) => sum + file.bytes, 0);
      if (limit !== undefined && used + bytes.length > limit)
        throw new HttpError(429, `your files would have more than ${limit} bytes together; delete some`, {
          code: "quota_exceeded",
          headers: { "retry-after": "60" },
        });
      const id = `file-${randomBytes(12).toString("hex")}`;
      const name = plainName(filename);
      const content = `content${endings.find((ending) => name.toLowerCase().endsWith(ending)) ?? ".jsonl"}`;
      const created = Math.floor(Date.now() / 1000);
      const kept: KeptFile = {
        id,
        owner,
        created,
        filename: name,
        purpose,
        bytes: bytes.length,
        sha256: sha256(bytes),
        content,
      };
      coming.add(kept);
      try {
        await writeFolderSafely(join(root, id), async (into) => {
          await into.write(content, [bytes]);
          await into.write("file.json", [Buffer.from(JSON.stringify(kept))]);
        });
        files.set(id, kept);
      } finally {
        coming.delete(kept);
      }
      return kept;
    },
    ownedBy: ({ name }) =>
      [...files.values()].filter(({ owner }) => owner === name).sort((a, b) => a.created - b.created),
    owned(id, { name }) {
      const file = files.get(id);
      if (file?.owner !== name) throw noSuch("file");
      return file;
    },
    pathOf,
    async *contentOf(file) {
      const source = await directory(join(root, file.id)).open(file.content);
      for (let at = 0; at < source.size; at += pieceBytes)
        yield await source.read(at, Math.min(pieceBytes, source.size - at));
    },
    async remove({ id }) {
      files.delete(id);
      await removeFolderSafely(join(root, id));
    },
  };
}

const pieceBytes = 2 ** 20;

/** The last part of a name without what could steer a terminal or lead elsewhere; it names nothing on the disk. */
function plainName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  return last.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 255) || "file";
}

/** OpenAI's shape of a file. */
export const fileObject = ({ id, created, filename, purpose, bytes }: KeptFile): object => ({
  id,
  object: "file",
  bytes,
  created_at: created,
  filename,
  purpose,
  status: "processed",
  status_details: null,
});

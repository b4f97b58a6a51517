import { statfs } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import type { CacheMode, CacheOptions } from "@petl/core";
import { openRowFile } from "./row-file.ts";

/** The cache of a run on this machine: a quarter of the memory that is free, half of the disk. */
export async function runCache(
  mode: CacheMode,
  bytes: number | undefined,
  remark: (text: string) => void,
): Promise<CacheOptions> {
  const disk = await statfs(tmpdir()).catch(() => undefined);
  const room = { memory: freemem() / 4, disk: disk ? (disk.bavail * disk.bsize) / 2 : 0 };
  return { mode, bytes, room, remark, openDisk: (most) => openRowFile(most, remark) };
}

import { statfs } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import type { CacheMode, CacheOptions } from "@petl/core";
import { openRowFile } from "../disk/row-file.ts";

/** The cache of a training on this machine: a quarter of the memory that is free, half of the disk. */
export async function machineCache(
  mode: CacheMode,
  bytes: number | undefined,
  remark: (text: string) => void = () => undefined,
): Promise<CacheOptions> {
  const disk = await statfs(tmpdir()).catch(() => undefined);
  const room = { memory: freemem() / 4, disk: disk ? (disk.bavail * disk.bsize) / 2 : 0 };
  return { mode, bytes, room, remark, openDisk: (most) => openRowFile(most, remark) };
}

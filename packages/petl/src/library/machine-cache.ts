import { statfs } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import type { CacheChoice, CacheOptions } from "@petl/core";
import { openRowFile, removeDeadRowFiles } from "../disk/row-file.ts";

/**
 * The cache of a training on this machine: a quarter of the memory that is free, half of the disk. The files of processes
 * that were killed are removed first.
 */
export async function machineCache(
  choice: CacheChoice,
  remark: (text: string) => void = () => undefined,
): Promise<CacheOptions> {
  const folder = tmpdir();
  if (choice.cache !== "off") await removeDeadRowFiles(folder);
  const disk = await statfs(folder).catch(() => undefined);
  const room = { memory: freemem() / 4, disk: disk ? (disk.bavail * disk.bsize) / 2 : 0 };
  return { ...choice, room, remark, openDisk: (most) => openRowFile(folder, most, remark) };
}

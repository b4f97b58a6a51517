import { open } from "node:fs/promises";

/** Forces a folder's entries to the disk, without which a rename may not outlive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // Windows can't open a folder as a file
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

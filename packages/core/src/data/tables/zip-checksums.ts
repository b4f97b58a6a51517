import { strFromU8 } from "fflate";

const [directoryEnd, largeDirectory, entryStart] = [0x06054b50, 0x07064b50, 0x02014b50];

/**
 * The CRC-32 of each part of a zip archive that can be unpacked, by the part's name, as the archive's directory says it; of
 * a name that stands there twice the last one's.
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.3.14 to 4.3.16
 */
export function zipChecksums(archive: Uint8Array): ReadonlyMap<string, number> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  let end = archive.length - 22;
  while (view.getUint32(end, true) !== directoryEnd) end--;
  const isLarge = end >= 20 && view.getUint32(end - 20, true) === largeDirectory;
  const offsetAt = isLarge ? view.getUint32(end - 12, true) + 48 : end + 16;
  const found = new Map<string, number>();
  for (let at = view.getUint32(offsetAt, true); at + 46 <= end && view.getUint32(at, true) === entryStart; ) {
    const [name = 0, extra = 0, comment = 0] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const isUtf8 = (view.getUint16(at + 8, true) & 2048) !== 0;
    found.set(strFromU8(archive.subarray(at + 46, at + 46 + name), !isUtf8), view.getUint32(at + 16, true));
    at += 46 + name + extra + comment;
  }
  return found;
}

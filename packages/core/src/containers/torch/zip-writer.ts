import type { OwnBytes } from "../../tensor/own-memory.ts";
import { joinBytes } from "../../values.ts";
import { littleEndian } from "../bytes.ts";
import { crc32 } from "../checksums.ts";

/** Torch lays every file's bytes at a multiple of this many, so that they may be mapped. */
const alignment = 64;

/**
 * A zip archive of files stored as they are.
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16
 */
export function zipBytes(files: readonly (readonly [name: string, bytes: Uint8Array])[]): OwnBytes {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const label = new TextEncoder().encode(name);
    const padding = paddingField(at + 30 + label.length);
    const fields = joinBytes([
      ...[uint16(0), uint16(0), uint16(0), uint16(0x21)], // flags, stored, midnight of the first day that zip knows
      ...[uint32(crc32(bytes)), uint32(bytes.length), uint32(bytes.length), uint16(label.length)],
    ]);
    parts.push(uint32(0x04034b50), uint16(20), fields, uint16(padding.length), label, padding, bytes);
    const place = [uint16(0), uint16(0), uint16(0), uint16(0), uint32(0), uint32(at)];
    directory.push(uint32(0x02014b50), uint16(20), uint16(20), fields, ...place, label);
    at += 30 + label.length + padding.length + bytes.length;
  }
  const listed = joinBytes(directory);
  const count = uint16(files.length);
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(listed.length), uint32(at), uint16(0)];
  return joinBytes([...parts, listed, ...end]);
}

const uint16 = (value: number) => littleEndian("uint16", value);
const uint32 = (value: number) => littleEndian("uint32", value);

/** An extra field, of torch's own number, that moves what follows it to an aligned place. */
function paddingField(at: number): Uint8Array {
  const length = (alignment - ((at + 4) % alignment)) % alignment;
  return joinBytes([uint16(0x4246), uint16(length), new Uint8Array(length)]);
}

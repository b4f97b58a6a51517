import type { OwnBytes } from "../tensor/own-memory.ts";

/** Parts of a file one behind the other. */
export function joinBytes(parts: readonly Uint8Array[]): OwnBytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** One number as files of this kind hold it. */
export function littleEndian(
  type: "uint16" | "uint32" | "int32" | "uint64" | "int64" | "float32",
  value: number,
): OwnBytes {
  const view = new DataView(new ArrayBuffer({ uint16: 2, uint32: 4, int32: 4, uint64: 8, int64: 8, float32: 4 }[type]));
  if (type === "uint16") view.setUint16(0, value, true);
  else if (type === "uint32") view.setUint32(0, value, true);
  else if (type === "int32") view.setInt32(0, value, true);
  else if (type === "uint64") view.setBigUint64(0, BigInt(value), true);
  else if (type === "int64") view.setBigInt64(0, BigInt(value), true);
  else view.setFloat32(0, value, true);
  return new Uint8Array(view.buffer);
}

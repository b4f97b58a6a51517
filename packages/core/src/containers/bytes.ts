import type { OwnBytes } from "../tensor/own-memory.ts";

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

import { bfloat16FromFloat32, float32FromBfloat16 } from "../tensor/half.ts";

/** How kept numbers are held: as they were computed, or in half the bytes with 8 significant bits. */
export const keptTypes = ["float32", "bfloat16"] as const;
export type KeptType = (typeof keptTypes)[number];

/** A way to hold numbers as bytes. */
interface Form {
  readonly bytesPerNumber: number;
  /** The numbers' bytes, which may be those of the same memory. */
  pack(numbers: Float32Array): Uint8Array;
  unpack(bytes: Uint8Array): Float32Array;
}

export const keptForms: Readonly<Record<KeptType, Form>> = {
  float32: {
    bytesPerNumber: 4,
    pack: bytesOf,
    unpack: ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4),
  },
  bfloat16: {
    bytesPerNumber: 2,
    pack: (numbers) => bytesOf(bfloat16FromFloat32(numbers)),
    unpack: ({ buffer, byteOffset, length }) => float32FromBfloat16(new Uint16Array(buffer, byteOffset, length / 2)),
  },
};

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** CRC-32 of zip and zlib (polynomial 0x04c11db7, reflected). */
export const crc32 = checksum(0xedb88320);

/** CRC-32C of Castagnoli, as RFC 3720 has it (polynomial 0x1edc6f41, reflected). */
export const crc32c = checksum(0x82f63b78);

function checksum(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
  return (bytes) => {
    let rest = 0xffffffff;
    for (const byte of bytes) rest = (table[(rest ^ byte) & 0xff] ?? 0) ^ (rest >>> 8);
    return (rest ^ 0xffffffff) >>> 0;
  };
}

import { compressors } from "hyparquet-compressors";

type Decompress = (input: Uint8Array, length: number) => Uint8Array;
const { LZ4, LZ4_RAW } = compressors;

/**
 * How pages are unpacked, by the codec's name. Of LZ4 the frames of Hadoop are walked before: a length below zero would
 * lead the reader back for ever.
 */
export const codecs: typeof compressors = {
  ...compressors,
  ...(LZ4 &&
    LZ4_RAW && { LZ4: ((input, length) => (isFramed(input) ? LZ4 : LZ4_RAW)(input, length)) satisfies Decompress }),
};

/** Whether a page is made of Hadoop's frames: the lengths unpacked and packed, each big-endian, and the packed bytes. */
function isFramed(input: Uint8Array): boolean {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  while (at < input.length - 8) at += 8 + view.getUint32(at + 4);
  return at === input.length;
}

import { Gunzip } from "fflate";
import { InputError } from "../../errors.ts";
import { joinBytes } from "../../values.ts";

/** A file of rows shrinks less than this; what grows more was made to fill the memory. */
const most = { ratio: 40, bytes: 48e6 } as const;

/** Bytes that so many of a gzip file may unpack to. */
export const mostUnpacked = (packed: number): number => Math.max(most.bytes, most.ratio * packed);

/**
 * The bytes of a gzip file, of all its members.
 * @throws InputError: no gzip file, or a cut one; one that grows beyond all that rows do
 */
export function unzipped(name: string, bytes: Uint8Array): Uint8Array {
  const limit = mostUnpacked(bytes.length);
  const chunks: Uint8Array[] = [];
  let [length, memberStart, ended] = [0, 0, false];
  const gunzip = new Gunzip((chunk, final) => {
    chunks.push(chunk);
    length += chunk.length;
    ended ||= final;
    if (length > limit)
      throw new InputError(`${name}: unpacks to more than ${Math.round(limit / 1e6)} MB; unpack it before`);
  });
  gunzip.onmember = () => {
    memberStart = length;
  };
  try {
    const step = 1 << 16;
    for (let at = 0; at < bytes.length; at += step)
      gunzip.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `${name}: no gzip file, or one that is cut: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (!ended || lengthOf(bytes) !== (length - memberStart) >>> 0) throw new InputError(`${name}: the gzip file is cut`);
  return joinBytes(chunks);
}

/** The length of the last member, as the file's last four bytes say it, modulo 2³². */
const lengthOf = (bytes: Uint8Array): number =>
  bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);

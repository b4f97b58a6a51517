import { Gunzip } from "fflate";
import { crc32 } from "../../containers/checksums.ts";
import { InputError } from "../../errors.ts";
import { joinBytes } from "../../values.ts";

/** A file of rows shrinks less than this; what grows more was made to fill the memory. */
const most = { ratio: 40, bytes: 48e6 } as const;

/** Bytes that so many of a gzip file may unpack to. */
export const mostUnpacked = (packed: number): number => Math.max(most.bytes, most.ratio * packed);

/**
 * The bytes of a gzip file, of all its members, each of which is held against its length and checksum.
 * @throws InputError: no gzip file, or one that is cut or damaged; one that grows beyond all that rows do
 */
export function unzipped(name: string, bytes: Uint8Array): Uint8Array {
  const limit = mostUnpacked(bytes.length);
  const members: Uint8Array[] = [];
  let [chunks, length, ended]: [Uint8Array[], number, boolean] = [[], 0, false];
  const gunzip = new Gunzip((chunk, final) => {
    chunks.push(chunk);
    length += chunk.length;
    ended ||= final;
    if (length > limit)
      throw new InputError(`${name}: unpacks to more than ${Math.round(limit / 1e6)} MB; unpack it before`);
  });
  const endMember = (end: number) => {
    const member = joinBytes(chunks);
    if (!isWhole(member, bytes.subarray(0, end)))
      throw new InputError(`${name}: the gzip file is cut or damaged: its length or checksum is another`);
    members.push(member);
    chunks = [];
  };
  gunzip.onmember = endMember;
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
  if (!ended) throw new InputError(`${name}: the gzip file is cut`);
  endMember(bytes.length);
  return joinBytes(members);
}

/** Whether a member is what was packed: its checksum and its length modulo 2³² stand in the last eight bytes that it had. */
function isWhole(member: Uint8Array, packed: Uint8Array): boolean {
  if (packed.length < 8) return false;
  const trailer = new DataView(packed.buffer, packed.byteOffset + packed.length - 8, 8);
  return trailer.getUint32(0, true) === crc32(member) && trailer.getUint32(4, true) === member.length >>> 0;
}

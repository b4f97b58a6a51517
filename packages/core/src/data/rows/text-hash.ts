const encoder = new TextEncoder();

/** So many bytes, filled up to words of four; a part of a file may have more than a number of 32 bits counts. */
export const upToWord = (bytes: number): number => bytes + (-bytes & 3);

/** FNV-1a of 32 bits over words of four bytes, mixed after each so that the low bits depend on all others. */
export function hashOfWords(words: Uint32Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ words[at]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

/** The same of a text's UTF-8, filled up with zeros. */
export function hashOfText(text: string): number {
  const bytes = new Uint8Array(upToWord(3 * text.length));
  const { written } = encoder.encodeInto(text, bytes);
  return hashOfWords(new Uint32Array(bytes.buffer), 0, upToWord(written) / 4);
}

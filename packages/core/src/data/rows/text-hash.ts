const encoder = new TextEncoder();

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
  const bytes = new Uint8Array(4 * Math.ceil((3 * text.length) / 4));
  const { written } = encoder.encodeInto(text, bytes);
  return hashOfWords(new Uint32Array(bytes.buffer), 0, Math.ceil(written / 4));
}

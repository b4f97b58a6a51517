/** A special token as tokenizer.json lists it: found in a text before anything is normalized. */
export function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

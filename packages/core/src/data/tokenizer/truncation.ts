/**
 * How many ids of two texts stay when together they may have `room`: as `truncation=True` of Hugging Face's fast
 * tokenizers, strategy "longest_first". The longer text gives way first; where both are longer than half, each keeps
 * half (the odd one goes to the longer text, to the second where both are equally long).
 */
export function longestFirst(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const rest = shorter > room ? shorter : Math.max(shorter, room - shorter);
  const fits = shorter + rest <= room;
  const low = fits ? shorter : Math.floor(room / 2);
  const high = fits ? rest : room - low;
  return first > second ? [high, low] : [low, high];
}

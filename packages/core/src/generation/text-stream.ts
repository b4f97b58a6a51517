import type { Decode } from "./continuing.ts";

/** The text of tokens as they come. */
export interface TextStream {
  /** Takes the next token; gives the text that is sure now, and whether a stop text ended it. */
  push(id: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back when the tokens end. */
  finish(): string;
}

/**
 * Decodes tokens one by one. A character's bytes may be several tokens, so that an unfinished one is held back; so is
 * the beginning of a stop text, which never is part of the text. A stop text may name special tokens, which are no part of
 * the text either.
 */
export function textStream(decode: Decode, stops: readonly string[]): TextStream {
  const ids: number[] = [];
  let given = "";
  const upTo = (text: string) => {
    const piece = text.slice(given.length);
    if (piece !== "") given = text;
    return piece;
  };
  return {
    push(id) {
      ids.push(id);
      const text = decode(ids);
      const end = firstStop(text, stops) ?? stopAmongSpecial(decode, ids, stops);
      if (end !== undefined) return { text: upTo(text.slice(0, end)), stopped: true };
      const whole = stops.length === 0 ? text : decode(ids, { specialTokens: true });
      const open = Math.max(unsure(text, stops), unsure(whole, stops));
      return { text: upTo(text.slice(0, Math.max(given.length, text.length - open))), stopped: false };
    },
    finish: () => upTo(decode(ids)),
  };
}

/** Where the first stop text begins. */
function firstStop(text: string, stops: readonly string[]): number | undefined {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : undefined;
}

/** Where a text ends that is stopped by what stands among its special tokens: with the tokens in front of it. */
function stopAmongSpecial(decode: Decode, ids: readonly number[], stops: readonly string[]): number | undefined {
  if (stops.length === 0) return undefined;
  const whole = (count: number) => decode(ids.slice(0, count), { specialTokens: true });
  const at = firstStop(whole(ids.length), stops);
  if (at === undefined) return undefined;
  const before = ids.findLastIndex((_, count) => whole(count).length <= at);
  const inside = whole(ids.length).slice(whole(before).length, at);
  return decode(ids.slice(0, before)).length + inside.length;
}

/** How many characters at a text's end may change or become a stop text. */
function unsure(text: string, stops: readonly string[]): number {
  const finished = text.replace(/\uFFFD+$/, "");
  const begun = stops.flatMap((stop) =>
    Array.from({ length: stop.length - 1 }, (_, i) => i + 1).filter((length) =>
      finished.endsWith(stop.slice(0, length)),
    ),
  );
  return text.length - finished.length + Math.max(0, ...begun);
}

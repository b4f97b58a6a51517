/** The text of tokens as they come. */
export interface TextStream {
  /** Takes the next token; gives the text that is sure now, and whether a stop text ended it. */
  push(id: number): { readonly text: string; readonly stopped: boolean };
  /** What was held back when the tokens end. */
  finish(): string;
}

/**
 * Decodes tokens one by one. A character's bytes may be several tokens, so that an unfinished one is held back; so is
 * the beginning of a stop text, which never is part of the text.
 */
export function textStream(decode: (ids: readonly number[]) => string, stops: readonly string[]): TextStream {
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
      const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
      if (found.length > 0) return { text: upTo(text.slice(0, Math.min(...found))), stopped: true };
      return { text: upTo(text.slice(0, text.length - unsure(text, stops))), stopped: false };
    },
    finish: () => upTo(decode(ids)),
  };
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

import { remembering } from "./word-cache.ts";

/** The library's byte-level step, whose splitting petl replaces by its own. */
interface ByteLevelStep {
  readonly add_prefix_space: boolean;
  readonly use_regex: boolean;
  /** the character that stands for each byte */
  readonly byte_encoder: Readonly<Record<number, string>>;
  pre_tokenize_text: (text: string) => string[];
}

/** Whether one of the library's steps, which are functions, is its byte-level one. */
export function isByteLevel(step: unknown): step is ByteLevelStep {
  return step instanceof Object && "byte_encoder" in step && "pre_tokenize_text" in step;
}

/**
 * GPT-2's words, their bytes as characters. Unlike the library's own step it splits as the Rust library does, and a corpus
 * takes it a third of the time: printable ASCII stands for itself, and every other character is spelt only once.
 */
export function byteLevelWords(step: ByteLevelStep): (text: string) => string[] {
  const utf8 = new TextEncoder();
  const spellings = new Map<string, string>();
  const spell = (character: string): string => {
    const known = spellings.get(character);
    if (known !== undefined) return known;
    const spelling = Array.from(utf8.encode(character), (byte) => step.byte_encoder[byte]).join("");
    spellings.set(character, spelling);
    return spelling;
  };
  const spelt = remembering((word) => word.replace(notItself, spell));
  return (text) => {
    const prefixed = step.add_prefix_space && !text.startsWith(" ") ? ` ${text}` : text;
    const words = step.use_regex ? (prefixed.match(wordPattern) ?? []) : [prefixed];
    return words.map(spelt);
  };
}

/** GPT-2's pattern, with White_Space as the Rust library has it: U+0085 belongs to it, U+FEFF doesn't. */
const wordPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const notItself = /[^!-~]/gu;

import type { Example, ExampleSet } from "../data/rows/examples.ts";
import { InputError } from "../errors.ts";
import { isObject } from "../values.ts";
import { what } from "./check.ts";

/** A text, or two that belong together. */
export type TextInput = string | readonly [first: string, second: string] | TextRow;

/** A text, or two, as rows have them. */
export interface TextRow {
  readonly text: string;
  readonly textPair?: string | undefined;
}

/** Texts as examples. @throws InputError naming everything that is no text */
export function textExamples(given: readonly TextInput[]): ExampleSet {
  const list: unknown = given;
  if (!Array.isArray(list)) throw new InputError(`texts are ${what(list)}; they must be a list, as in ["a fine film"]`);
  const problems: string[] = [];
  const examples = list.flatMap((each: unknown, i): readonly Example[] => {
    const [text, pair] = partsOf(each);
    if (typeof text === "string" && (pair === undefined || typeof pair === "string"))
      return [{ kind: "text", text, ...(pair !== undefined && { pair }) }];
    problems.push(`text ${i + 1} is ${what(each)}; it must be a text, two of them or { text, textPair }`);
    return [];
  });
  if (problems.length > 0) throw new InputError(problems.slice(0, 10));
  return { name: "the texts", examples, placeOf: (index) => `text ${index + 1}`, columns: { text: "text" } };
}

function partsOf(given: unknown): readonly unknown[] {
  if (typeof given === "string") return [given];
  if (Array.isArray(given)) return given.length === 2 || given.length === 1 ? given : [];
  return isObject(given) && "text" in given ? [given.text, given.textPair] : [];
}

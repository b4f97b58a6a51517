import type { Example, Label } from "./examples.ts";
import { writtenTexts } from "./packed-texts.ts";

const encoder = new TextEncoder();

/** Bytes of a part. */
const partBytes = 2 ** 20;
/** Beginnings of rows that are kept for each label: encoding one costs more than copying its row. */
const mostHeads = 2 ** 12;

/**
 * Rows as bytes for a digest, in parts that hold until the next one is asked for: no two rows are written alike. Texts, of
 * which large files have many, stand behind their lengths as they are.
 */
export function* writtenRows(examples: readonly Example[]): Iterable<Uint8Array> {
  const headOf = textHeads();
  const part = new Uint8Array(partBytes);
  let end = 0;
  for (const example of examples)
    for (const bytes of bytesOf(example, headOf)) {
      if (end + bytes.length > partBytes) {
        yield part.subarray(0, end);
        end = 0;
      }
      if (bytes.length > partBytes) yield bytes;
      else {
        part.set(bytes, end);
        end += bytes.length;
      }
    }
  yield part.subarray(0, end);
}

const [between, lineEnd, noPair] = [encoder.encode(" "), encoder.encode("\n"), encoder.encode(" \n")];

function bytesOf(example: Example, headOf: TextHeads): readonly Uint8Array[] {
  if (example.kind !== "text" || example.labels) return [encoder.encode(`${JSON.stringify(plainOf(example))}\n`)];
  const [text, pair] = writtenTexts(example);
  const head = headOf(text?.letters ?? 0, pair?.letters ?? 0, example.label);
  const first = text?.bytes ?? new Uint8Array();
  return pair ? [head, first, between, pair.bytes, lineEnd] : [head, first, noPair];
}

type TextHeads = (letters: number, pairLetters: number, label: Label | undefined) => Uint8Array;

/** What stands in front of texts of some lengths and with a label; many rows have the same. */
function textHeads(): TextHeads {
  const known = new Map<Label | undefined, Map<number, Uint8Array>>();
  return (letters, pairLetters, label) => {
    const ofLabel = known.get(label) ?? new Map<number, Uint8Array>();
    if (ofLabel.size === 0 && known.size < mostHeads) known.set(label, ofLabel);
    const lengths = pairLetters * 2 ** 26 + letters;
    const found = letters < 2 ** 26 ? ofLabel.get(lengths) : undefined;
    if (found) return found;
    const head = encoder.encode(`text ${letters} ${pairLetters} ${JSON.stringify(label)} `);
    if (ofLabel.size < mostHeads && letters < 2 ** 26) ofLabel.set(lengths, head);
    return head;
  };
}

/** An example with plain lists in place of arrays of numbers, which JSON writes as records. */
function plainOf(example: Example): object {
  if (example.kind === "text") {
    const { kind, text, pair, labels } = example; // the texts of large files are no fields that JSON would find
    return { kind, text, pair, labels };
  }
  if (example.kind !== "tokens") return example;
  return Object.fromEntries(
    Object.entries(example).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Int32Array ? Array.from(value) : value,
    ]),
  );
}

import { embed, headless, InputError, type OpenModel, type TextInput } from "@petl/core";
import { text, texts } from "../flags/flags.ts";
import { modelFlags, rowFlags, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

const { base, adapter, offline, threads, device, activations } = modelFlags;

export const embedVerb = defineVerb({
  name: "embed",
  group: "Ask and measure",
  summary: "give texts vectors, a JSON line for each",
  flags: {
    base,
    adapter,
    text: texts("TEXT", "a text; several may be given"),
    input: text("FILE", "a file of texts or pairs: JSONL, CSV, TSV, Parquet; - for JSONL from stdin"),
    textColumn: text("COLUMN", "the column that holds the text", "found by its name"),
    ...rowFlags,
    offline,
    threads,
    device,
    activations,
  },
  examples: [
    'embed --base models/tiny --text "a fine film" --text "a dull one"',
    "embed --base sentence-transformers/all-MiniLM-L6-v2 --input reviews.csv",
  ],
  async run({ flags }, { print, ...where }) {
    if ((flags.input === undefined) === (flags.text.length === 0))
      throw new InputError("give texts with --text, or a file with --input");
    const asked = flags.input === undefined ? flags.text : await textsIn(flags.input, { text: flags.textColumn });
    const { batch, maxLength } = flags;
    const embedded = async (model: OpenModel) => {
      for (let start = 0; start < asked.length; start += atOnce) {
        const some = asked.slice(start, start + atOnce);
        for (const vector of await embed(model, some, { batch, maxLength, signal: where.signal }))
          await print(JSON.stringify({ embedding: Array.from(vector) }));
      }
    };
    await withModel({ ...flags, task: undefined, labels: undefined }, where, embedded, headless);
  },
});

/** Texts whose vectors are held before they are printed. */
const atOnce = 1024;

async function textsIn(input: string, columns: { readonly text: string | undefined }): Promise<readonly TextInput[]> {
  const { readInput } = await import("../data/read-data.ts"); // texts of --text need none of it
  const { set } = await readInput(input, columns);
  return set.examples.map((example, row) => {
    if (example.kind !== "text") throw new InputError(`${set.placeOf(row)}: only texts have vectors, and this is none`);
    const { text: first, pair } = example;
    return pair === undefined ? first : [first, pair];
  });
}

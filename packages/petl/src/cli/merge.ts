import { encodeMerged, floatTypes } from "@petl/core";
import { directory } from "../files.ts";
import { writeFolderSafely } from "../safe-write.ts";
import { choice, neededText, toggle } from "./flags.ts";
import { modelFlags, type OpenModel, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

/** What of a base's folder belongs to a merged checkpoint unchanged. */
const carried = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
  "spiece.model",
  "tokenizer.model",
];

export const mergeVerb = defineVerb({
  name: "merge",
  summary: "write base and adapter as one ordinary Hugging Face checkpoint",
  flags: {
    base: modelFlags.base,
    adapter: neededText("ADAPTER", "the adapter: a folder or a hub id"),
    out: neededText("DIR", "the folder to write"),
    dtype: choice(floatTypes, "the type of all float tensors (default: the base's)"),
    overwrite: toggle(false, "replace DIR and all that is in it"),
    offline: modelFlags.offline,
    threads: modelFlags.threads,
  },
  examples: ["merge --base models/tiny --adapter out --out merged"],
  async run({ flags, json }, context) {
    await withModel({ ...flags, task: undefined, labels: undefined }, context, async (model) => {
      const { base, adapted, phi, engine, labels } = model;
      const named = adapted.goal.task === "masked-lm" ? undefined : labels;
      const files = await encodeMerged(base, adapted, phi, engine, { labels: named, dtype: flags.dtype });
      await writeFolderSafely(
        flags.out,
        async ({ write }) => {
          await write("config.json", [new TextEncoder().encode(files["config.json"])]);
          await write("model.safetensors", watched(files["model.safetensors"], context.signal));
          for (const [name, bytes] of await tokenizerFiles(model)) await write(name, [bytes]);
        },
        { overwrite: flags.overwrite },
      );
    });
    if (json) return context.print(JSON.stringify({ out: flags.out }));
    context.terminal.line(`wrote ${flags.out}`);
  },
});

/** Ctrl-C ends the writing between two tensors; nothing is left behind. */
async function* watched(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}

async function tokenizerFiles({ path }: OpenModel): Promise<readonly (readonly [string, Uint8Array])[]> {
  const folder = directory(path);
  const names = (await folder.files()).filter((name) => carried.includes(name));
  return Promise.all(
    names.map(async (name) => {
      const source = await folder.open(name);
      return [name, await source.read(0, source.size)] as const;
    }),
  );
}

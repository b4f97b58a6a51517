import { floatTypes } from "@petl/core";
import { saveMerged } from "../library/save.ts";
import { choice, neededText, toggle } from "./flags.ts";
import { modelFlags, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

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
      await saveMerged(model, flags.out, { dtype: flags.dtype, overwrite: flags.overwrite, signal: context.signal });
    });
    if (json) return context.print(JSON.stringify({ out: flags.out }));
    context.terminal.line(`wrote ${flags.out}`);
  },
});

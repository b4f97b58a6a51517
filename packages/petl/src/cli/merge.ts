import { floatTypes, type Quantization } from "@petl/core";
import { saveMerged, saveOnnx } from "../library/save.ts";
import { choice, neededText, toggle } from "./flags.ts";
import { modelFlags, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

/** What base and adapter become, and how it is written. */
const forms = { checkpoint: saveMerged, onnx: saveOnnx };

/** What a merge into quantised weights cannot give back. */
const lost = ({ base, adapter }: { readonly base: string; readonly adapter: string }, quantization: Quantization) =>
  `merged into the weights that ${base} holds in ${quantization.bits} bits: they compute what base and adapter compute ` +
  `together, but lack what rounding took, ${(100 * quantization.relative_error).toPrecision(2)}% of the weights (root ` +
  `mean square); to lose nothing of the original, merge ${adapter} into that`;

export const mergeVerb = defineVerb({
  name: "merge",
  summary: "write base and adapter as one ordinary Hugging Face checkpoint, or as one ONNX file",
  flags: {
    base: modelFlags.base,
    adapter: neededText("ADAPTER", "the adapter: a folder or a hub id"),
    out: neededText("DIR", "the folder to write"),
    to: choice(["checkpoint", "onnx"], "what is written (checkpoint)"),
    dtype: choice(floatTypes, "the type of all float tensors (default: the base's)"),
    overwrite: toggle(false, "replace DIR and all that is in it"),
    offline: modelFlags.offline,
    threads: modelFlags.threads,
  },
  examples: [
    "merge --base models/tiny --adapter out --out merged",
    "merge --base models/tiny --adapter out --to onnx --out for-the-browser",
  ],
  async run({ flags, json }, context) {
    const save = forms[flags.to ?? "checkpoint"];
    const quantization = await withModel({ ...flags, task: undefined, labels: undefined }, context, async (model) => {
      await save(model, flags.out, { dtype: flags.dtype, overwrite: flags.overwrite, signal: context.signal });
      return model.base.quantization;
    });
    if (quantization) context.terminal.line(lost(flags, quantization));
    if (json) return context.print(JSON.stringify({ out: flags.out, ...(quantization && { quantization }) }));
    context.terminal.line(`wrote ${flags.out}`);
  },
});

import { floatTypes, InputError, type OpenModel, type Quantization } from "@petl/core";
import { neededText, optionalChoice, toggle } from "../flags/flags.ts";
import { type SaveOnnxOptions, saveMerged, saveOnnx } from "../library/save.ts";
import { modelFlags, withModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

/** What base and adapter become, and how it is written. */
const forms = {
  checkpoint: saveMerged,
  onnx: saveOnnx,
  "onnx-with-past": (model: OpenModel, folder: string, options: SaveOnnxOptions) =>
    saveOnnx(model, folder, { ...options, past: true }),
};

/** What a merge into quantised weights cannot give back. */
const lost = ({ base, adapter }: { readonly base: string; readonly adapter: string }, quantization: Quantization) =>
  `merged into the weights that ${base} holds in ${quantization.bits} bits: they compute what base and adapter compute ` +
  `together, but lack what rounding took, ${(100 * quantization.relative_error).toPrecision(2)}% of the weights (root ` +
  `mean square); to lose nothing of the original, merge ${adapter} into that`;

export const mergeVerb = defineVerb({
  name: "merge",
  group: "Write in other forms",
  summary: "write base and adapter as one ordinary Hugging Face checkpoint, or as one ONNX file",
  flags: {
    base: modelFlags.base,
    adapter: neededText("ADAPTER", "the adapter: a folder or a hub id"),
    out: neededText("DIR", "the folder to write"),
    to: optionalChoice(["checkpoint", "onnx", "onnx-with-past"], "what is written (checkpoint)"),
    adapterInputs: toggle(false, "of an ONNX file: leave the adapter apart, to be fed as an .onnx_adapter"),
    dtype: optionalChoice(floatTypes, "the type of all float tensors (default: the base's)"),
    overwrite: toggle(false, "replace DIR and all that is in it"),
    offline: modelFlags.offline,
    threads: modelFlags.threads,
  },
  examples: [
    "merge --base models/tiny --adapter out --out merged",
    "merge --base models/tiny --adapter out --to onnx --out for-the-browser",
    "merge --base models/tiny --adapter out --to onnx --adapter-inputs --out for-many-adapters",
  ],
  async run({ flags, json }, context) {
    const { to = "checkpoint", dtype, adapterInputs, overwrite } = flags;
    if (adapterInputs && to === "checkpoint")
      throw new InputError("--adapter-inputs are those of an ONNX file; give --to onnx or onnx-with-past");
    const save = forms[to];
    const quantization = await withModel({ ...flags, task: undefined, labels: undefined }, context, async (model) => {
      await save(model, flags.out, { dtype, adapterInputs, overwrite, signal: context.signal });
      return adapterInputs ? undefined : model.base.quantization;
    });
    if (quantization) context.terminal.line(lost(flags, quantization));
    if (json) return context.print(JSON.stringify({ out: flags.out, ...(quantization && { quantization }) }));
    context.terminal.line(`wrote ${flags.out}`);
  },
});

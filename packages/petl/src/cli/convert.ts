import { InputError } from "@petl/core";
import { z } from "zod";
import { type FlagValues, neededText, number, optionalChoice, text, toggle } from "../flags/flags.ts";
import { offlineFlag } from "../flags/shared-flags.ts";
import { adapterFormats, convertAdapter } from "../library/convert.ts";
import { convertBase } from "../library/convert-base.ts";

import { type Context, defineVerb } from "./verb.ts";

/** What a whole model is converted to. */
const modelFormat = "huggingface";

const flags = {
  adapter: text("ADAPTER", "what to convert: a folder, a file or a hub id, in any of the layouts"),
  to: optionalChoice([...adapterFormats, modelFormat], "the layout to write (peft; of a whole model huggingface)"),
  base: text(
    "BASE",
    "the adapter's base, where its own name for it leads nowhere; without an adapter a checkpoint of llama2.c",
  ),
  out: neededText("DIR", "the folder to write"),
  alpha: number(z.number().positive().optional(), "X", "LoRA's alpha, which loralib's files leave out"),
  name: text("NAME", "the adapter's name, which AdapterHub's files hold (adapter)"),
  tokenizer: text("FILE", "llama2.c's tokenizer, where it is not beside the checkpoint"),
  overwrite: toggle(false, "replace DIR and all that is in it"),
  offline: offlineFlag,
};

export const convertVerb = defineVerb({
  name: "convert",
  group: "Write in other forms",
  summary: "write an adapter, or a checkpoint of llama2.c, in another program's layout",
  flags,
  examples: [
    "convert --adapter out --to gguf --base my-llama --out gguf",
    "convert --adapter roberta_base_lora_mnli.bin --alpha 16 --to peft --out mnli",
    "convert --base stories260K --to huggingface --out stories",
  ],
  async run({ flags: given, json }, { print, terminal, inFlags, signal }) {
    const { out, to } = given;
    const remarks = (await convert(given, signal)).map(inFlags);
    if (json) return print(JSON.stringify({ out, format: to ?? (given.adapter ? "peft" : modelFormat), remarks }));
    for (const remark of remarks) terminal.line(remark);
    terminal.line(`wrote ${out}`);
  },
});

function convert(given: FlagValues<typeof flags>, signal: Context["signal"]): Promise<readonly string[]> {
  const { adapter, base, tokenizer, out, to, overwrite, ...options } = given;
  const saving = { overwrite, signal };
  if (adapter === undefined) {
    if (base === undefined) throw new InputError("give an --adapter, or with --base a checkpoint of llama2.c");
    if (to === undefined || to === modelFormat) return convertBase(base, out, { tokenizer, ...saving });
    throw new InputError(`--to ${to} is a layout of adapters; give an --adapter`);
  }
  if (to !== modelFormat) return convertAdapter(adapter, out, { ...options, base, to: to ?? "peft", ...saving });
  throw new InputError(`--to ${modelFormat} writes whole models; petl merge makes one of base and adapter`);
}

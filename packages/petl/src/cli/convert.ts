import { z } from "zod";
import { adapterFormats, convertAdapter } from "../library/convert.ts";
import { choice, neededText, number, text, toggle } from "./flags.ts";
import { offlineFlag } from "./open.ts";
import { defineVerb } from "./verb.ts";

export const convertVerb = defineVerb({
  name: "convert",
  summary: "write an adapter in the layout of another program",
  flags: {
    adapter: neededText("ADAPTER", "what to convert: a folder, a file or a hub id, in any of the layouts"),
    to: choice(adapterFormats, "the layout to write (default: peft)"),
    base: text("BASE", "the adapter's base, where its own name for it leads nowhere; only config.json is read"),
    out: neededText("DIR", "the folder to write"),
    alpha: number(z.number().positive().optional(), "X", "LoRA's alpha, which loralib's files leave out"),
    name: text("NAME", "the adapter's name, which AdapterHub's files hold (default: adapter)"),
    overwrite: toggle(false, "replace DIR and all that is in it"),
    offline: offlineFlag,
  },
  examples: [
    "convert --adapter out --to gguf --base my-llama --out gguf",
    "convert --adapter roberta_base_lora_mnli.bin --alpha 16 --to peft --out mnli",
  ],
  async run({ flags, json }, { print, terminal, signal }) {
    const { adapter, out, to = "peft", ...options } = flags;
    const remarks = await convertAdapter(adapter, out, { ...options, to, signal });
    if (json) return print(JSON.stringify({ out, format: to, remarks }));
    for (const remark of remarks) terminal.line(remark);
    terminal.line(`wrote ${out}`);
  },
});

import { bitWidths, blockSizes, InputError } from "@petl/core";
import { z } from "zod";
import { neededText, number, toggle } from "../flags/flags.ts";
import { offlineFlag } from "../flags/shared-flags.ts";
import { type QuantizeSummary, quantize } from "../library/quantize.ts";
import { resolveModel } from "./open.ts";
import { defineVerb } from "./verb.ts";

export const quantizeVerb = defineVerb({
  name: "quantize",
  group: "Write in other forms",
  summary: "write a base whose matrices are held in 4 or 8 bits, to train adapters with less memory",
  operand: "<BASE>",
  flags: {
    bits: number(z.literal(bitWidths).default(4), "N", `bits of a weight: ${bitWidths.join(" or ")}`),
    block: number(
      z.literal(blockSizes).default(32),
      "N",
      `neighbours of a row that share a scale: ${blockSizes.join(", ")} (32)`,
    ),
    out: neededText("DIR", "the folder to write"),
    overwrite: toggle(false, "replace DIR and all that is in it"),
    offline: offlineFlag,
  },
  examples: [
    "quantize models/tiny --bits 4 --out tiny-4bit",
    "quantize models/tiny --bits 8 --block 64 --out tiny-8bit",
  ],
  async run({ flags, json, operands: [base = ""] }, context) {
    const { bits, block: blockSize, out, overwrite, offline } = flags;
    if (base === "") throw new InputError("name the base to quantise: `petl quantize BASE --out DIR`");
    const path = await resolveModel(base, { offline }, context);
    const summary = await quantize(path, out, { bits, blockSize, overwrite, signal: context.signal });
    if (json) return context.print(JSON.stringify({ ...summary, out }));
    for (const line of report(summary)) await context.print(line);
    context.terminal.line(`wrote ${out}`);
  },
});

function* report(summary: QuantizeSummary): Generator<string> {
  const { bits, block_size, layers, layers_left: left, relative_error: error, bytes, base_bytes } = summary;
  yield `${layers.length} linear layers in ${bits} bits, blocks of ${block_size}; everything else as it was`;
  if (left.length > 0) yield `as they were too, since their input is no whole number of blocks: ${left.join(", ")}`;
  yield `weights: ${megabytes(bytes)} MB, before ${megabytes(base_bytes)} MB`;
  yield `what rounding changed: ${(100 * error).toPrecision(2)}% of the quantised weights (root mean square)`;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

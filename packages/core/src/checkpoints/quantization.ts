import { z } from "zod";
import { quote } from "../containers/json.ts";
import { InputError, schemaProblems } from "../errors.ts";
import { bitWidths, blockSizes } from "../tensor/block-format.ts";

const fields = z.object({
  quant_method: z.literal("petl"),
  bits: z.literal(bitWidths),
  block_size: z.literal(blockSizes),
  /** √(Σ (w − ŵ)² / Σ w²) over all weights that were quantised */
  relative_error: z.number().nonnegative(),
});

/** What config.json says of a base whose matrices are held in blocks of few bits. */
export interface Quantization {
  readonly bits: (typeof bitWidths)[number];
  readonly block_size: (typeof blockSizes)[number];
  readonly relative_error: number;
}

/**
 * Reads the `quantization_config` of a config.json; undefined where there is none.
 *
 * @throws InputError for quantised weights of another library, and with every field that is wrong
 */
export function readQuantization(config: unknown, place: string): Quantization | undefined {
  if (config === undefined || config === null) return undefined;
  const method = z.looseObject({ quant_method: z.string() }).safeParse(config).data?.quant_method;
  if (method !== "petl") {
    throw new InputError(
      `${place}: quantization_config is of quant_method ${quote(method ?? "")}, which petl does not read; open the model ` +
        "before it was quantised, which `petl quantize` can then hold in 4 or 8 bits",
    );
  }
  const parsed = fields.safeParse(config);
  if (parsed.success) {
    const { quant_method: _, ...quantization } = parsed.data;
    return quantization;
  }
  throw new InputError(schemaProblems(parsed.error.issues, `${place}: quantization_config: `));
}

/** The `quantization_config` that says it. */
export const writeQuantization = (quantization: Quantization): Quantization & { readonly quant_method: "petl" } => ({
  quant_method: "petl",
  ...quantization,
});

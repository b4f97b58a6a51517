import { z } from "zod";
import type { Rope } from "../nn/rope.ts";

const kinds = ["default", "linear", "dynamic", "llama3", "yarn", "longrope", "su"] as const;

export const ropeParameters = z.object({
  rope_type: z.enum(kinds).optional(),
  /** the older name of rope_type */
  type: z.enum(kinds).optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().nullish(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.int().positive().optional(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().default(true),
  short_factor: z.array(z.number().positive()).optional(),
  long_factor: z.array(z.number().positive()).optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
});
type Parameters = z.infer<typeof ropeParameters>;

/** Rotary positions in config.json: `rope_parameters`, or `rope_scaling` and `rope_theta` as before transformers 5. */
export const ropeFields = {
  max_position_embeddings: z.int().positive().default(2048),
  rope_theta: z.number().positive().default(10_000),
  rope_scaling: ropeParameters.nullish(),
  rope_parameters: ropeParameters.nullish(),
  original_max_position_embeddings: z.int().positive().optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
};

interface RopeConfig {
  readonly max_position_embeddings: number;
  readonly rope_theta: number;
  readonly rope_scaling?: Parameters | null | undefined;
  readonly rope_parameters?: Parameters | null | undefined;
  readonly original_max_position_embeddings?: number | undefined;
  readonly partial_rotary_factor?: number | undefined;
}

/** The rotary positions that a configuration describes, with Hugging Face's defaults. */
export function ropeOf(config: RopeConfig): Rope {
  const given = config.rope_scaling ?? config.rope_parameters ?? ropeParameters.parse({});
  const { max_position_embeddings: most } = config;
  const theta = given.rope_theta ?? config.rope_theta;
  const original = config.original_max_position_embeddings ?? given.original_max_position_embeddings ?? most;
  switch (kindOf(given)) {
    case "default":
      return { kind: "default", theta };
    case "linear":
      return { kind: "linear", theta, factor: given.factor ?? 1 };
    case "dynamic":
      return { kind: "dynamic", theta, factor: given.factor ?? 1 };
    case "llama3": {
      const { factor, low_freq_factor: lowFrequencyFactor = 1, high_freq_factor: highFrequencyFactor = 4 } = given;
      return { kind: "llama3", theta, factor: factor ?? 1, lowFrequencyFactor, highFrequencyFactor, original };
    }
    case "longrope": {
      const { short_factor: short = [], long_factor: long = [] } = given;
      const factor = given.factor ?? most / original;
      const grown = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
      return { kind: "longrope", theta, short, long, original, magnitude: given.attention_factor ?? grown };
    }
    case "yarn": {
      const factor = given.factor ?? most / original;
      const { beta_fast, beta_slow, truncate } = given;
      const betas = { betaFast: beta_fast || 32, betaSlow: beta_slow || 1 };
      return { kind: "yarn", theta, factor, original, ...betas, truncate, magnitude: magnitudeOf(given, factor) };
    }
  }
}

/** The kind by its present name: Phi 3 called longrope "su" at first, and "yarn". */
function kindOf({ rope_type, type, short_factor }: Parameters): Exclude<(typeof kinds)[number], "su"> {
  const kind = rope_type ?? type ?? "default";
  return kind === "su" || (kind === "yarn" && short_factor) ? "longrope" : kind;
}

/** The longest text that a configuration has positions for. */
export function longestText(config: RopeConfig): number {
  const rope = ropeOf(config);
  const grown = rope.kind === "dynamic" ? rope.factor : 1;
  return Math.floor(config.max_position_embeddings * grown);
}

/** How many numbers of a head are turned. */
export function rotarySize(config: RopeConfig, headSize: number): number {
  const given = config.rope_scaling ?? config.rope_parameters;
  return Math.floor(headSize * (given?.partial_rotary_factor ?? config.partial_rotary_factor ?? 1));
}

/** YaRN's factor of cosines and sines, 0.1 ln(factor) + 1 unless the configuration says another (section 3.4). */
function magnitudeOf({ attention_factor, mscale, mscale_all_dim }: Parameters, factor: number): number {
  const magnitude = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  if (attention_factor != null) return attention_factor;
  return mscale && mscale_all_dim ? magnitude(mscale) / magnitude(mscale_all_dim) : magnitude(1);
}

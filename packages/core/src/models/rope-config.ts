import { z } from "zod";
import type { Rope } from "../nn/rope.ts";

const kinds = ["default", "linear", "dynamic", "llama3", "yarn"] as const;

const parameters = z.object({
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
});
type Parameters = z.infer<typeof parameters>;

/** Rotary positions in config.json: `rope_parameters`, or `rope_scaling` and `rope_theta` as before transformers 5. */
export const ropeFields = {
  max_position_embeddings: z.int().positive().default(2048),
  rope_theta: z.number().positive().default(10_000),
  rope_scaling: parameters.nullish(),
  rope_parameters: parameters.nullish(),
};

interface RopeConfig {
  readonly max_position_embeddings: number;
  readonly rope_theta: number;
  readonly rope_scaling?: Parameters | null | undefined;
  readonly rope_parameters?: Parameters | null | undefined;
}

/** The rotary positions that a configuration describes, with Hugging Face's defaults. */
export function ropeOf(config: RopeConfig): Rope {
  const given = config.rope_scaling ?? config.rope_parameters ?? parameters.parse({});
  const { max_position_embeddings: most } = config;
  const theta = given.rope_theta ?? config.rope_theta;
  const original = given.original_max_position_embeddings ?? most;
  const kind = given.rope_type ?? given.type ?? "default";
  switch (kind) {
    case "default":
      return { kind, theta };
    case "linear":
    case "dynamic":
      return { kind, theta, factor: given.factor ?? 1 };
    case "llama3": {
      const { factor, low_freq_factor: lowFrequencyFactor = 1, high_freq_factor: highFrequencyFactor = 4 } = given;
      return { kind, theta, factor: factor ?? 1, lowFrequencyFactor, highFrequencyFactor, original };
    }
    case "yarn": {
      const factor = given.factor ?? most / original;
      const { beta_fast, beta_slow, truncate } = given;
      const betas = { betaFast: beta_fast || 32, betaSlow: beta_slow || 1 };
      return { kind, theta, factor, original, ...betas, truncate, magnitude: magnitudeOf(given, factor) };
    }
  }
}

/** The longest text that a configuration has positions for. */
export function longestText(config: RopeConfig): number {
  const rope = ropeOf(config);
  const grown = rope.kind === "dynamic" ? rope.factor : 1;
  return Math.floor(config.max_position_embeddings * grown);
}

/** YaRN's factor of cosines and sines, 0.1 ln(factor) + 1 unless the configuration says another (section 3.4). */
function magnitudeOf({ attention_factor, mscale, mscale_all_dim }: Parameters, factor: number): number {
  const magnitude = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  if (attention_factor != null) return attention_factor;
  return mscale && mscale_all_dim ? magnitude(mscale) / magnitude(mscale_all_dim) : magnitude(1);
}

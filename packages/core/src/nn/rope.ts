/** How the frequencies of rotary positions are stretched for texts longer than those of the pre-training. */
export type Rope = { readonly theta: number } & (
  | { readonly kind: "default" }
  | { readonly kind: "linear" | "dynamic"; readonly factor: number }
  | ({ readonly kind: "llama3" } & Llama3)
  | ({ readonly kind: "yarn" } & Yarn)
  | ({ readonly kind: "longrope" } & LongRope)
);

interface Llama3 {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  /** the longest text of the pre-training */
  readonly original: number;
}

interface Yarn {
  readonly factor: number;
  readonly original: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  /** whether the bounds of the ramp are whole numbers */
  readonly truncate: boolean;
  /** factor of cosines and sines */
  readonly magnitude: number;
}

interface LongRope {
  /** divisors of the frequencies for texts up to the original length, and for longer ones */
  readonly short: readonly number[];
  readonly long: readonly number[];
  readonly original: number;
  readonly magnitude: number;
}

/**
 * Angles per position, θ^(−2i / size) for i < size / 2 (Su et al. 2021, arXiv:2104.09864, section 3.2.2), stretched:
 * - linear: divided by the factor (Chen et al. 2023, arXiv:2306.15595, section 2.3)
 * - dynamic: as default up to the pre-training's length; see rotation for what comes behind it
 * - llama3: divided where less than low periods fit into the original length, kept where more than high do, between the
 *   two in proportion (Llama 3.1's own rule)
 * - yarn: the same with a ramp over i (Peng et al. 2023, arXiv:2309.00071, section 3.2)
 * - longrope: each by a divisor of its own (Ding et al. 2024, arXiv:2402.13753, section 3.2), the ones for short texts
 */
export function frequencies(rope: Rope, size: number): readonly number[] {
  const plain = Array.from({ length: size / 2 }, (_, i) => rope.theta ** ((-2 * i) / size));
  switch (rope.kind) {
    case "default":
    case "dynamic":
      return plain;
    case "longrope":
      return plain.map((frequency, i) => frequency / (rope.short[i] ?? 1));
    case "linear":
      return plain.map((frequency) => frequency / rope.factor);
    case "llama3":
      return plain.map((frequency) => {
        const periods = (rope.original * frequency) / (2 * Math.PI);
        const { lowFrequencyFactor: low, highFrequencyFactor: high } = rope;
        return mixed(frequency, rope.factor, between((periods - low) / (high - low)));
      });
    case "yarn": {
      const [low, high] = rampOf(rope, size);
      return plain.map((frequency, i) => mixed(frequency, rope.factor, 1 - between((i - low) / (high - low))));
    }
  }
}

/** The frequency with a share that is kept; the rest of it is divided by the factor. */
const mixed = (frequency: number, factor: number, kept: number) => kept * frequency + ((1 - kept) * frequency) / factor;

const between = (share: number) => Math.min(1, Math.max(0, share));

/** The indices between which YaRN goes over from keeping to dividing: those with betaFast and betaSlow periods. */
function rampOf({ theta, original, betaFast, betaSlow, truncate }: Yarn & { theta: number }, size: number) {
  const indexOf = (periods: number) => (size * Math.log(original / (periods * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [indexOf(betaFast), indexOf(betaSlow)];
  const low = Math.max(0, truncate ? Math.floor(first) : first);
  const high = Math.min(size - 1, truncate ? Math.ceil(last) : last);
  return [low, low === high ? high + 0.001 : high] as const;
}

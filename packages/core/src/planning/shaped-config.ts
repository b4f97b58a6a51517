import { InputError } from "../errors.ts";

/** A base that exists only as a shape; what is left out is as usual for its architecture. */
export interface BaseShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads?: number | undefined;
  /** width of the feed-forward layers */
  readonly feedForward?: number | undefined;
  readonly vocabulary?: number | undefined;
  readonly positions?: number | undefined;
  readonly architecture?: ShapedArchitecture | undefined;
}

/** The architectures that a shape may have. */
export const shapedArchitectures = ["bert", "gpt2", "llama"] as const;
type ShapedArchitecture = (typeof shapedArchitectures)[number];

type Json = Readonly<Record<string, unknown>>;
type Filled = BaseShape & { readonly heads: number };

/** A shape's fields in the words of each architecture's config.json. */
const configs: Readonly<Record<ShapedArchitecture, (shape: Filled) => Json>> = {
  bert: ({ layers, hidden, heads, feedForward, vocabulary, positions }) => ({
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: feedForward ?? 4 * hidden,
    vocab_size: vocabulary,
    max_position_embeddings: positions,
  }),
  gpt2: ({ layers, hidden, heads, feedForward, vocabulary, positions }) => ({
    architectures: ["GPT2LMHeadModel"],
    n_layer: layers,
    n_embd: hidden,
    n_head: heads,
    n_inner: feedForward,
    vocab_size: vocabulary,
    n_positions: positions,
  }),
  llama: ({ layers, hidden, heads, feedForward, vocabulary, positions }) => ({
    architectures: ["LlamaForCausalLM"],
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: feedForward ?? gatedFeedForward(hidden),
    vocab_size: vocabulary,
    max_position_embeddings: positions,
  }),
};

/** Three matrices for two, in steps of 256: 2/3 of 4 · hidden (Touvron et al. 2023, arXiv:2302.13971, section 2.2). */
const gatedFeedForward = (hidden: number): number => Math.ceil((8 * hidden) / 3 / 256) * 256;

/**
 * The config.json of a base of such a shape.
 * @throws InputError with every length that is not possible
 */
export function shapedConfig(shape: BaseShape): Json {
  const { architecture = "bert", hidden, heads = usualHeads(hidden) } = shape;
  const lengths = Object.entries({ ...shape, heads, architecture: undefined });
  const problems = lengths
    .filter(([, value]) => value !== undefined && !(Number.isSafeInteger(value) && Number(value) > 0))
    .map(([name, value]) => `${name} ${String(value)} is not possible: a whole number above 0 is needed`);
  if (!shapedArchitectures.includes(architecture))
    problems.push(`architecture "${String(architecture)}" is none of ${shapedArchitectures.join(", ")}`);
  if (problems.length === 0 && hidden % heads !== 0) problems.push(`hidden ${hidden} is no multiple of ${heads} heads`);
  if (problems.length > 0) throw new InputError(problems);
  const config = configs[architecture]({ ...shape, heads });
  return Object.fromEntries(
    Object.entries({ model_type: architecture, ...config }).filter(([, value]) => value !== undefined),
  );
}

/** Heads of 64 numbers, or one head where hidden is no multiple of it. */
const usualHeads = (hidden: number): number => (hidden % 64 === 0 ? hidden / 64 : 1);

import type { MethodUse } from "./method.ts";
import { bitfit } from "./methods/bitfit.ts";
import { bottleneck } from "./methods/bottleneck/bottleneck.ts";
import { parallel } from "./methods/bottleneck/parallel.ts";
import { full } from "./methods/full.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { lnTuning } from "./methods/ln-tuning.ts";
import { adalora } from "./methods/lora/adalora.ts";
import { dora } from "./methods/lora/dora.ts";
import { lora } from "./methods/lora/lora.ts";
import { loha } from "./methods/lycoris/loha.ts";
import { lokr } from "./methods/lycoris/lokr.ts";
import { llamaAdapter } from "./methods/prompts/llama-adapter.ts";
import { prefix } from "./methods/prompts/prefix.ts";
import { prompt } from "./methods/prompts/prompt.ts";
import { subspace } from "./methods/subspace.ts";
import { topLayers } from "./methods/top-layers.ts";
import { vera } from "./methods/vera.ts";

/** What the papers' formulas are written in. */
export interface Lengths {
  readonly modelType: string;
  readonly layers: number;
  readonly hidden: number;
  /** width of all heads of queries together */
  readonly queries: number;
  /** width of all heads of keys together */
  readonly keys: number;
  readonly feedForward: number;
  /** rows of all embedding tables together */
  readonly embeddings: number;
}

/** A method as the contract tries it. */
export interface ContractCase {
  readonly title: string;
  readonly methods: readonly MethodUse[];
  /** trained numbers without the head */
  readonly count: (lengths: Lengths) => number;
  /** which tensors of the base are trained; none where left out */
  readonly unfreezes?: (lengths: Lengths) => RegExp;
  /** how far from the base it may start, and why; bit-equal where left out */
  readonly startsWithin?: number;
  readonly merges: boolean;
  /** why there is nothing for it to do on an architecture, by its model type */
  readonly refused?: Readonly<Record<string, string>>;
}

/** The family of Llama: a gated feed-forward, norms without shifts, no biases. */
const isGated = ({ modelType }: Lengths) => /^(llama|phi3|qwen3)$/.test(modelType);
/** Those with one layer for queries, keys and values. */
const isFused = ({ modelType }: Lengths) => /^(gpt2|phi3)$/.test(modelType);

/** The outputs of the query's and the value's projection, or of the one that makes all three. */
const updated = (l: Lengths): readonly number[] => (isFused(l) ? [l.queries + 2 * l.keys] : [l.queries, l.keys]);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/**
 * An encoder layer, and GPT-2's: four projections with biases, the feed-forward's two layers, two layer norms. Llama's:
 * a feed-forward of three layers; Qwen 3's, a norm of each head of queries and keys too, whose size is the keys' half.
 */
const layer = (l: Lengths) => {
  const { modelType, hidden: h, queries: q, keys: k, feedForward: f } = l;
  if (isGated(l)) return 2 * h * q + 2 * h * k + 3 * h * f + 2 * h + (modelType === "qwen3" ? k : 0);
  return 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h;
};
/** The norms of a layer's inputs, with their shifts where they have them. */
const norms = (l: Lengths) => (isGated(l) ? 2 : 4) * l.hidden;
/** The factors of rank 1 of the layers that LoRA updates by convention. */
const queryAndValue = (l: Lengths) => sum(updated(l).map((out) => l.hidden + out));
/** The factors of rank 1 of all of a layer's projections. */
const allLinear = (l: Lengths) => {
  const { modelType, hidden: h, queries: q, keys: k, feedForward: f } = l;
  const attention = (isFused(l) ? 1 : 3) * h + (q + 2 * k) + (q + h);
  if (!isGated(l)) return attention + 2 * (h + f);
  return attention + (modelType === "phi3" ? 1 : 2) * h + 2 * f + (h + f);
};
/** What PEFT makes of a length: its two factors that are nearest to each other. */
const factorsOf: Readonly<Record<number, readonly [number, number]>> = {
  16: [4, 4],
  32: [4, 8],
  64: [8, 8],
  96: [8, 12],
};
/** C: [out₁, 4] and D: [out₂, 8] of rank 2, on inputs of length 32 = 4 · 8. */
const kronecker = (out: number) => {
  const [out1, out2] = factorsOf[out] ?? [Number.NaN, Number.NaN];
  return out1 * 4 + 2 * (out2 + 8);
};
const withoutBiases = "it has no biases";
const noBiases = { llama: withoutBiases, phi3: withoutBiases, qwen3: withoutBiases };
const textAlone = "its attention projects the text alone";
const noOtherKeys = { bert: textAlone, roberta: textAlone, distilbert: textAlone, gpt2: textAlone };
/** BERT alone has a pooler below its classifier. */
const pooler = ({ modelType, hidden: h }: Lengths) => (modelType === "bert" ? h * h + h : 0);
const bottleneckSize = (h: number, size: number) => 2 * h * size + size + h;
const layerNorms = () => /(layers?|h)\.\d\..*(layer_?norm|ln_\d)\.(weight|bias)$/i;

/** Every method of peft/methods.ts, with options for each way that it computes. */
export const contractCases: readonly ContractCase[] = [
  {
    title: "full",
    methods: [full.use({})],
    count: (l) => l.embeddings * l.hidden + (isGated(l) ? 1 : 2) * l.hidden + l.layers * layer(l) + pooler(l),
    unfreezes: () => /./,
    merges: true,
  },
  {
    title: "subspace",
    methods: [subspace.use({ dimension: 40 })],
    count: (l) => l.embeddings * l.hidden + (isGated(l) ? 1 : 2) * l.hidden + l.layers * layer(l) + pooler(l),
    unfreezes: () => /./,
    merges: true,
  },
  { title: "head", methods: [head.use({})], count: () => 0, merges: true },
  {
    title: "top-layers",
    methods: [topLayers.use({ count: 1 })],
    count: layer,
    unfreezes: ({ layers }) => new RegExp(`(layers?|h)\\.${layers - 1}\\.`),
    merges: true,
  },
  {
    title: "bottleneck, as Houlsby",
    methods: [bottleneck.use({ size: 6 })],
    count: (l) => l.layers * (2 * bottleneckSize(l.hidden, 6) + norms(l)),
    unfreezes: layerNorms,
    merges: false,
  },
  {
    title: "bottleneck, as Pfeiffer",
    methods: [bottleneck.use({ size: 6, placement: "pfeiffer", activation: "silu", layers: "top:1" })],
    count: ({ hidden }) => bottleneckSize(hidden, 6),
    merges: false,
  },
  {
    title: "parallel",
    methods: [parallel.use({ size: 6, activation: "gelu", placement: "both" })],
    count: ({ layers, hidden }) => layers * 2 * bottleneckSize(hidden, 6),
    merges: false,
  },
  {
    title: "lora",
    methods: [lora.use({})],
    count: (l) => l.layers * 8 * queryAndValue(l), // section 4.2: 2 · L̂ · d · r where all widths are d
    merges: true,
  },
  {
    title: "lora on all linear layers and the word embeddings, rank-stabilised",
    methods: [
      lora.use({
        rank: 3,
        alpha: 4,
        rankStabilized: true,
        targets: ".*(lin|lin1|lin2|query|key|value|dense|word_embeddings|_proj|embed_tokens|c_attn|c_fc|wte)",
      }),
    ],
    count: (l) => l.layers * 3 * allLinear(l) + 3 * (96 + l.hidden) + (l.modelType === "bert" ? 3 * 2 * l.hidden : 0),
    merges: true,
  },
  ...(["pissa", "olora"] as const).map((initWeights) => ({
    title: `lora, starting as ${initWeights}`,
    methods: [lora.use({ rank: 4, initWeights })],
    count: (l: Lengths) => l.layers * 4 * queryAndValue(l),
    merges: true,
  })),
  {
    title: "dora",
    methods: [dora.use({ rank: 4 })],
    count: (l) => l.layers * (4 * queryAndValue(l) + sum(updated(l))),
    startsWithin: 2e-6, // ‖W‖ is rounded once by the host and once by the graph, so that m / ‖W‖ is 1 to 1e-7
    merges: true,
  },
  {
    title: "vera",
    methods: [vera.use({ rank: 6 })],
    // section 3.2: L̂ (d + r), d numbers for each output of a projection
    count: (l) => l.layers * sum(updated(l).map((out) => out + 6)),
    merges: true,
  },
  {
    title: "vera on layers of two sizes",
    methods: [
      vera.use({
        rank: 6,
        dInitial: 1,
        targets: ".*(lin1|lin2|intermediate.dense|[0-9].output.dense|up_proj|down_proj|c_fc|mlp.c_proj)",
      }),
    ],
    // Phi 3's gate is the same layer as "up"
    count: ({ modelType, layers, hidden: h, feedForward: f }) =>
      layers * ((modelType === "phi3" ? 2 : 1) * f + h + 2 * 6),
    merges: true,
  },
  {
    title: "adalora",
    methods: [adalora.use({ initialRank: 3, rank: 2 })],
    // section 3.1: P, Λ and Q of each target
    count: (l) => l.layers * 3 * (queryAndValue(l) + updated(l).length),
    merges: true,
  },
  {
    title: "loha",
    methods: [loha.use({ rank: 3 })],
    count: (l) => l.layers * 2 * 3 * queryAndValue(l), // twice LoRA's
    merges: true,
  },
  {
    title: "lokr",
    methods: [lokr.use({ rank: 2 })],
    count: (l) => l.layers * sum(updated(l).map(kronecker)),
    merges: true,
  },
  {
    title: "lokr with two matrices of low rank",
    methods: [lokr.use({ rank: 1, factor: 8, decomposeBoth: true })],
    // C: [8, 8] of rank 1, and D: [out / 8, 4]
    count: (l) => l.layers * sum(updated(l).map((out) => 16 + (out / 8 + 4))),
    merges: true,
  },
  {
    title: "ia3",
    methods: [ia3.use({})],
    // section 3.3: L (d_k + d_v + d_ff); as in PEFT Qwen 3's queries in place of its keys, and in BERT and RoBERTa
    // "output.dense" is the attention's output layer too
    count: (l) => {
      const keys = l.modelType === "qwen3" ? l.queries : l.keys;
      const outputs = isFused(l) ? sum(updated(l)) : keys + l.keys;
      return l.layers * (outputs + (/^(bert|roberta)$/.test(l.modelType) ? l.hidden : 0) + l.feedForward);
    },
    merges: true,
  },
  {
    title: "bitfit",
    methods: [bitfit.use({})],
    // q, k, v, output, down and two layer norms of each layer; up; the embeddings' layer norm; BERT's pooler
    count: ({ modelType, layers, hidden: h, feedForward: f }) =>
      layers * (7 * h + f) + h + (modelType === "bert" ? h : 0),
    unfreezes: () => /\.bias$/,
    merges: true,
    refused: noBiases,
  },
  {
    title: "ln-tuning",
    methods: [lnTuning.use({})],
    // the norms of each layer and those outside of it, but of Qwen 3, of which PEFT takes one a layer
    count: (l) =>
      l.modelType === "qwen3" ? l.layers * l.hidden : l.layers * norms(l) + (isGated(l) ? 1 : 2) * l.hidden,
    unfreezes: ({ modelType }) => (modelType === "qwen3" ? /post_attention_layernorm/ : /norm|\.ln_/i),
    merges: true,
  },
  {
    title: "prefix",
    methods: [prefix.use({ tokens: 5 })],
    count: ({ layers, keys: k }) => 5 * layers * 2 * k,
    merges: false,
  },
  {
    title: "prefix on one layer, the text's positions as without it",
    methods: [prefix.use({ tokens: 5, layers: "top:1", positions: "unshifted" })],
    count: ({ keys: k }) => 5 * 2 * k,
    merges: false,
  },
  { title: "prompt", methods: [prompt.use({ tokens: 5 })], count: ({ hidden }) => 5 * hidden, merges: false },
  {
    title: "llama-adapter",
    methods: [llamaAdapter.use({ tokens: 5 })],
    count: ({ layers, hidden }) => layers * (5 * hidden + 1),
    merges: false,
    refused: noOtherKeys,
  },
  {
    title: "llama-adapter with a gate for each head",
    methods: [llamaAdapter.use({ tokens: 5, gate: "head-tanh", layers: "top:1" })],
    count: ({ hidden }) => 5 * hidden + 4,
    merges: false,
    refused: noOtherKeys,
  },
  {
    title: "lora and bitfit together",
    methods: [lora.use({ rank: 2 }), bitfit.use({ layers: "0" })],
    count: ({ layers, hidden: h, feedForward: f }) => layers * 2 * 2 * (h + h) + 7 * h + f,
    unfreezes: () => /(layer|h)\.0\..*\.bias$/,
    merges: true,
    refused: noBiases,
  },
  {
    title: "lora and vera at the same layers",
    methods: [lora.use({ rank: 2 }), vera.use({ rank: 3, dInitial: 0.5 })],
    count: (l) => l.layers * (2 * queryAndValue(l) + sum(updated(l).map((out) => 3 + out))),
    merges: true,
  },
  {
    title: "bottleneck, lora and prefix together",
    methods: [bottleneck.use({ size: 2, layerNorms: false }), lora.use({ rank: 2 }), prefix.use({ tokens: 3 })],
    count: (l) => l.layers * (2 * bottleneckSize(l.hidden, 2) + 2 * queryAndValue(l) + 3 * 2 * l.keys),
    merges: false,
  },
];

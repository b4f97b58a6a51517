import type { MethodUse } from "./method.ts";
import { adalora } from "./methods/adalora.ts";
import { bitfit } from "./methods/bitfit.ts";
import { bottleneck } from "./methods/bottleneck.ts";
import { dora } from "./methods/dora.ts";
import { full } from "./methods/full.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { llamaAdapter } from "./methods/llama-adapter.ts";
import { loha } from "./methods/loha.ts";
import { lokr } from "./methods/lokr.ts";
import { lora } from "./methods/lora.ts";
import { parallel } from "./methods/parallel.ts";
import { prefix } from "./methods/prefix.ts";
import { prompt } from "./methods/prompt.ts";
import { topLayers } from "./methods/top-layers.ts";
import { vera } from "./methods/vera.ts";

/** What the papers' formulas are written in. */
export interface Lengths {
  readonly modelType: string;
  readonly layers: number;
  readonly hidden: number;
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

const isLlama = ({ modelType }: Lengths) => modelType === "llama";
/** GPT-2 has one layer for queries, keys and values; otherwise its layers have an encoder's lengths. */
const isGpt2 = ({ modelType }: Lengths) => modelType === "gpt2";

/**
 * An encoder layer: four projections with biases, the feed-forward's two layers, two layer norms. Llama's: fewer keys and
 * values, a gated feed-forward of three layers, two norms without shifts, no biases.
 */
const layer = (l: Lengths) => {
  const { hidden: h, keys: k, feedForward: f } = l;
  if (isLlama(l)) return 2 * h * h + 2 * h * k + 3 * h * f + 2 * h;
  return 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h;
};
/** All layer norms of a layer, with their shifts where they have them. */
const norms = (l: Lengths) => (isLlama(l) ? 2 : 4) * l.hidden;
/** The factors of rank 1 of the query's and the value's projection, or of GPT-2's one: as many where keys are as wide. */
const queryAndValue = ({ hidden: h, keys: k }: Lengths) => h + h + (h + k);
/** The factors of rank 1 of all of a layer's projections. */
const allLinear = (l: Lengths) => {
  const { hidden: h, keys: k, feedForward: f } = l;
  if (isGpt2(l)) return h + 3 * h + 2 * h + 2 * (h + f);
  return isLlama(l) ? 2 * 2 * h + 2 * (h + k) + 3 * (h + f) : 4 * 2 * h + 2 * (h + f);
};
/** C: [out₁, 4] and D: [out₂, 8] of rank 2, on inputs of length 32. */
const kronecker = (out1: number, out2: number) => out1 * 4 + 2 * (out2 + 8);
const noBiases = { llama: "it has no biases" };
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
    count: (l) => l.embeddings * l.hidden + (isLlama(l) ? 1 : 2) * l.hidden + l.layers * layer(l) + pooler(l),
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
    count: (l) => l.layers * (4 * queryAndValue(l) + l.hidden + (isGpt2(l) ? 2 : 1) * l.keys),
    startsWithin: 2e-6, // ‖W‖ is rounded once by the host and once by the graph, so that m / ‖W‖ is 1 to 1e-7
    merges: true,
  },
  {
    title: "vera",
    methods: [vera.use({ rank: 6 })],
    // section 3.2: L̂ (d + r), d numbers for each output of a projection
    count: (l) => l.layers * (isGpt2(l) ? 3 * l.hidden + 6 : l.hidden + l.keys + 2 * 6),
    merges: true,
  },
  {
    title: "vera on layers of two sizes",
    methods: [
      vera.use({
        ...{ rank: 6, dInitial: 1 },
        targets: ".*(lin1|lin2|intermediate.dense|[0-9].output.dense|up_proj|down_proj|c_fc|mlp.c_proj)",
      }),
    ],
    count: ({ layers, hidden: h, feedForward: f }) => layers * (f + h + 2 * 6),
    merges: true,
  },
  {
    title: "adalora",
    methods: [adalora.use({ initialRank: 3, rank: 2 })],
    // section 3.1: P, Λ and Q of each target, of which GPT-2 has one a layer
    count: (l) => l.layers * 3 * (queryAndValue(l) + (isGpt2(l) ? 1 : 2)),
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
    // 32 = 4 · 8, and of GPT-2's outputs 96 = 8 · 12; Llama's 16 keys are 4 · 4
    count: (l) => l.layers * (isGpt2(l) ? kronecker(8, 12) : kronecker(4, 8) + kronecker(4, l.keys / 4)),
    merges: true,
  },
  {
    title: "lokr with two matrices of low rank",
    methods: [lokr.use({ rank: 1, factor: 8, decomposeBoth: true })],
    // C: [8, 8] of rank 1, and D: [out / 8, 4]
    count: (l) => l.layers * (isGpt2(l) ? 16 + (12 + 4) : 2 * 16 + (4 + 4) + (l.keys / 8 + 4)),
    merges: true,
  },
  {
    title: "ia3",
    methods: [ia3.use({})],
    // section 3.3: L (d_k + d_v + d_ff); in BERT and RoBERTa "output.dense" is the attention's output layer too, as in
    // PEFT, and GPT-2's queries are rescaled with its keys and values
    count: ({ modelType, layers, hidden: h, keys: k, feedForward: f }) =>
      layers * (2 * k + (/^(bert|roberta|gpt2)$/.test(modelType) ? h : 0) + f),
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
    title: "bottleneck, lora and prefix together",
    methods: [bottleneck.use({ size: 2, layerNorms: false }), lora.use({ rank: 2 }), prefix.use({ tokens: 3 })],
    count: (l) => l.layers * (2 * bottleneckSize(l.hidden, 2) + 2 * queryAndValue(l) + 3 * 2 * l.keys),
    merges: false,
  },
];

import type { MethodUse } from "./method.ts";
import { bitfit } from "./methods/bitfit.ts";
import { bottleneck } from "./methods/bottleneck.ts";
import { dora } from "./methods/dora.ts";
import { full } from "./methods/full.ts";
import { head } from "./methods/head.ts";
import { ia3 } from "./methods/ia3.ts";
import { lora } from "./methods/lora.ts";
import { parallel } from "./methods/parallel.ts";
import { prefix } from "./methods/prefix.ts";
import { topLayers } from "./methods/top-layers.ts";

/** What the papers' formulas are written in. */
export interface Lengths {
  readonly modelType: string;
  readonly layers: number;
  readonly hidden: number;
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
}

/** An encoder layer: four projections with biases, the feed-forward's two layers, two layer norms. */
const layer = ({ hidden: h, feedForward: f }: Lengths) => 4 * (h * h + h) + (h * f + f) + (f * h + h) + 4 * h;
/** BERT alone has a pooler below its classifier. */
const pooler = ({ modelType, hidden: h }: Lengths) => (modelType === "bert" ? h * h + h : 0);
const bottleneckSize = (h: number, size: number) => 2 * h * size + size + h;
const layerNorms = () => /layer\.\d\..*layer_?norm\.(weight|bias)$/i;

/** Every method of peft/methods.ts, with options for each way that it computes. */
export const contractCases: readonly ContractCase[] = [
  {
    title: "full",
    methods: [full.use({})],
    count: (l) => l.embeddings * l.hidden + 2 * l.hidden + l.layers * layer(l) + pooler(l),
    unfreezes: () => /./,
    merges: true,
  },
  { title: "head", methods: [head.use({})], count: () => 0, merges: true },
  {
    title: "top-layers",
    methods: [topLayers.use({ count: 1 })],
    count: layer,
    unfreezes: ({ layers }) => new RegExp(`layer\\.${layers - 1}\\.`),
    merges: true,
  },
  {
    title: "bottleneck, as Houlsby",
    methods: [bottleneck.use({ size: 6 })],
    count: ({ layers, hidden: h }) => layers * (2 * bottleneckSize(h, 6) + 4 * h),
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
    count: ({ layers, hidden: h }) => layers * 2 * 8 * (h + h), // section 4.2: 2 · L̂ · d · r
    merges: true,
  },
  {
    title: "lora on all linear layers and the word embeddings, rank-stabilised",
    methods: [
      lora.use({
        rank: 3,
        alpha: 4,
        rankStabilized: true,
        targets: ".*(lin|lin1|lin2|query|key|value|dense|word_embeddings)",
      }),
    ],
    count: (l) =>
      l.layers * 3 * (4 * 2 * l.hidden + 2 * (l.hidden + l.feedForward)) +
      3 * (96 + l.hidden) +
      (l.modelType === "bert" ? 3 * 2 * l.hidden : 0),
    merges: true,
  },
  {
    title: "dora",
    methods: [dora.use({ rank: 4 })],
    count: ({ layers, hidden: h }) => layers * 2 * (4 * (h + h) + h),
    startsWithin: 2e-6, // ‖W‖ is rounded once by the host and once by the graph, so that m / ‖W‖ is 1 to 1e-7
    merges: true,
  },
  {
    title: "ia3",
    methods: [ia3.use({})],
    // section 3.3: L (d_k + d_v + d_ff); in BERT and RoBERTa "output.dense" is the attention's output layer too, as in PEFT
    count: ({ modelType, layers, hidden: h, feedForward: f }) =>
      layers * ((modelType === "distilbert" ? 2 : 3) * h + f),
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
  },
  {
    title: "prefix",
    methods: [prefix.use({ tokens: 5 })],
    count: ({ layers, hidden: h }) => 5 * layers * 2 * h,
    merges: false,
  },
  {
    title: "lora and bitfit together",
    methods: [lora.use({ rank: 2 }), bitfit.use({ layers: "0" })],
    count: ({ layers, hidden: h, feedForward: f }) => layers * 2 * 2 * (h + h) + 7 * h + f,
    unfreezes: () => /layer\.0\..*\.bias$/,
    merges: true,
  },
  {
    title: "bottleneck, lora and prefix together",
    methods: [bottleneck.use({ size: 2, layerNorms: false }), lora.use({ rank: 2 }), prefix.use({ tokens: 3 })],
    count: ({ layers, hidden: h }) => layers * (2 * bottleneckSize(h, 2) + 2 * 2 * (h + h) + 3 * 2 * h),
    merges: false,
  },
];

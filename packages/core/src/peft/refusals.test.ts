import { describe, expect, test } from "vitest";
import { InputError } from "../errors.ts";
import { modelOf } from "../models/models.ts";
import type { Task } from "../objectives/objectives.ts";
import { adapt } from "./adapt.ts";
import type { Base } from "./base.ts";
import { defineMethod } from "./method.ts";
import { methods } from "./methods.ts";

/** A base of which only the configuration is known, as for counting. */
const bare = (config: Readonly<Record<string, unknown>>): Base => ({
  name: "base",
  model: modelOf(config),
  tensors: undefined,
  read: () => expect.unreachable(),
});
const distilbert = bare({ model_type: "distilbert", dim: 32, n_layers: 2, n_heads: 4, hidden_dim: 64, vocab_size: 96 });
const bert = bare({
  model_type: "bert",
  hidden_size: 32,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 64,
  vocab_size: 96,
});

type Use = readonly [string, Readonly<Record<string, unknown>>];
const use = ([name, options]: Use) =>
  methods.find((method) => method.name === name)?.use(options) ?? expect.unreachable();
const put = (base: Base, uses: readonly Use[], task: Task = "classification") =>
  adapt(base, uses.map(use), { task, labels: 2 });

/** The problems of the one InputError that an action throws. */
function problems(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe("targets", () => {
  test("a linear layer that the model has not is refused with the nearest name and all names", () => {
    expect(problems(() => put(distilbert, [["lora", { targets: "q_lim" }]]))).toEqual([
      'no linear layer of distilbert is named "q_lim"; did you mean "q_lin"? its linear layers: ffn.lin1, ffn.lin2, k_lin, out_lin, q_lin, v_lin',
    ]);
    expect(problems(() => put(bert, [["lora", { targets: "zzzzzz" }]], "masked-lm"))).toEqual([
      'no linear layer of bert is named "zzzzzz"; its linear layers: attention.output.dense, cls.predictions.transform.dense, intermediate.dense, key, output.dense, query, value',
    ]);
  });

  test("all wrong names of all methods are in one error", () => {
    const found = problems(() =>
      put(distilbert, [
        ["lora", { targets: "q_lim,v_lin,k_lim", layers: "0,7" }],
        ["ia3", { targets: "lin9" }],
        ["top-layers", { count: 5 }],
      ]),
    );
    expect(found.map((line) => line.split(";")[0])).toEqual([
      'no linear layer of distilbert is named "q_lim"',
      'no linear layer of distilbert is named "k_lim"',
      "lora: there is no layer 7",
      'no linear layer of distilbert is named "lin9"',
      "top-layers: cannot take 5 layers",
    ]);
  });

  test.each([
    [
      "lora",
      { rankPattern: "q_lim=4" },
      'rankPattern "q_lim" matches none of the modules that it acts on; did you mean "q_lin"?',
    ],
    ["lora", { alphaPattern: { q_lin: 3, "layer.7.*": 4 } }, 'alphaPattern "layer.7.*" matches none'],
    [
      "lora",
      { targets: "q_lin", rankPattern: "v_lin=4" },
      'rankPattern "v_lin" matches none of the modules that it acts on; did you mean "q_lin"? those are q_lin',
    ],
    [
      "lora",
      { targets: "q_lin,sa_layer_norm" },
      'targets "sa_layer_norm" matches none of the modules that it can act on',
    ],
    ["lora", { exclude: "nothing.*" }, 'exclude "nothing.*" matches no module'],
    ["dora", { rankPattern: "nothing=4" }, 'rankPattern "nothing" matches none'],
    ["loha", { alphaPattern: "nothing=4" }, 'alphaPattern "nothing" matches none'],
    ["lokr", { rankPattern: "nothing=4" }, 'rankPattern "nothing" matches none'],
    ["adalora", { rankPattern: "nothing=4" }, 'rankPattern "nothing" matches none'],
    [
      "ia3",
      { targets: "k_lin,v_lin", feedforward: "lin2" },
      'feedforward "lin2" matches none of the modules that it acts on',
    ],
    ["ln-tuning", { targets: "sa_layer_norm,q_lin" }, 'targets "q_lin" matches none of the modules that it can act on'],
  ] as const)("%s refuses what selects nothing: %j", (name, options, problem) => {
    expect(problems(() => put(distilbert, [[name, options]]))).toEqual([
      expect.stringContaining(`${name}: ${problem}`),
    ]);
  });

  test("a layer that was named and left out again is no mistake", () => {
    expect(problems(() => put(distilbert, [["lora", { targets: "q_lin,v_lin", exclude: "v_lin" }]]))).toEqual([]);
    expect(problems(() => put(distilbert, [["lora", { rankPattern: " q_lin = 4, layer.0.*=2" }]]))).toEqual([]);
  });

  test("a pattern that matches no linear layer is refused, also beside a method that acts", () => {
    const nowhere = "lora finds no layer to act on in this distilbert";
    expect(problems(() => put(distilbert, [["lora", { targets: "query.*" }]]))[0]).toContain(nowhere);
    const both: readonly Use[] = [
      ["lora", { targets: "query.*" }],
      ["ia3", {}],
    ];
    expect(problems(() => put(distilbert, both))[0]).toContain(nowhere);
    expect(problems(() => put(distilbert, [["bitfit", { targets: "query.*" }]]))[0]).toContain("bitfit finds no layer");
  });

  test("a trained head's layers are no targets: names of theirs are refused", () => {
    expect(problems(() => put(distilbert, [["lora", { targets: "all-linear" }]]))).toEqual([]);
    expect(put(distilbert, [["lora", { targets: "all-linear" }]]).targets).not.toContain("classifier");
    expect(problems(() => put(distilbert, [["lora", { targets: "classifier" }]])).length).toBe(1);
  });
});

describe("layers", () => {
  test.each([
    ["lora", { layers: "1-2" }, "lora: there is no layer 2; the base has 2 layers, 0 to 1"],
    ["bitfit", { layers: [9] }, "bitfit: there is no layer 9; the base has 2 layers, 0 to 1"],
    ["bottleneck", { layers: "top:3" }, "bottleneck: cannot take 3 layers; the base has 2 layers, 0 to 1"],
    ["parallel", { layers: "bottom:4" }, "parallel: cannot take 4 layers; the base has 2 layers, 0 to 1"],
    ["top-layers", { count: 3 }, "top-layers: cannot take 3 layers; the base has 2 layers, 0 to 1"],
  ] as const)("%s on layers beyond the stack is refused: %j", (name, options, message) => {
    expect(problems(() => put(distilbert, [[name, options]]))).toEqual([message]);
  });
});

describe("options", () => {
  test("unknown options and bad values are refused together, with what is allowed", () => {
    const found = problems(() => use(["lora", { rnk: 4, rank: 0, alpha: "much", dropout: 1, targets: "(" }]));
    expect(found).toEqual([
      expect.stringMatching(/^lora has no option "rnk"; did you mean "rank"\?; its options: rank, alpha, dropout, /),
      expect.stringMatching(/^lora: `rank` 0 must be above 0$/),
      expect.stringMatching(/^lora: `alpha` "much" is not a number$/),
      expect.stringMatching(/^lora: `dropout` 1 must be below 1$/),
      expect.stringMatching(/^lora: `targets` "\(" is not a regular expression: /),
    ]);
    for (const line of found) expect(line).not.toMatch(/undefined|NaN|\[object/);
  });

  test("ranks of AdaLoRA's layers beyond those that it begins with are refused together", () => {
    const given = { initialRank: 4, rankPattern: { query: 5, key: 4, value: 9 } };
    expect(problems(() => use(["adalora", given]))).toEqual([
      'adalora: rankPattern "query" 5 is more than the 4 of initialRank, of which ranks are taken away',
      'adalora: rankPattern "value" 9 is more than the 4 of initialRank, of which ranks are taken away',
    ]);
  });

  test.each([
    ["pissa", 0, "it takes roots of S / scale, so that alpha has to be above 0"],
    ["pissa", -2, "it takes roots of S / scale, so that alpha has to be above 0"],
    ["olora", 0, "nothing learned would be added to a layer"],
    ["eva", 0, "nothing learned would be added to a layer"],
  ])("a start as %s is refused with alpha %d", (initWeights, alpha, reason) => {
    expect(problems(() => use(["lora", { initWeights, alpha, alphaPattern: { query: 4 } }]))).toEqual([
      `lora: alpha ${alpha} is not possible where weights start as ${initWeights}: ${reason}`,
    ]);
  });

  test("a start that works with a negative scale is not refused", () => {
    expect(problems(() => use(["lora", { initWeights: "olora", alpha: -2 }]))).toEqual([]);
  });

  test("a method without options says so", () => {
    expect(problems(() => use(["full", { rank: 1 }]))).toEqual(['full has no option "rank"; it has none']);
  });

  test.each([
    ["rank", 2.5],
    ["rank", "8x"],
    ["rank", ""],
    ["rank", null],
    ["alpha", Number.POSITIVE_INFINITY],
    ["alpha", Number.NaN],
    ["dropout", -0.1],
    ["targets", []],
    ["targets", ""],
    ["targets", 7],
    ["layers", "2-1"],
    ["layers", "0,x"],
    ["layers", [-1]],
    ["layers", "top:0"],
    ["rankStabilized", "maybe"],
    ["rankPattern", "q_lin"],
    ["rankPattern", { q_lin: 0 }],
    ["rankPattern", { q_lin: 2.5 }],
    ["rankPattern", { "(": 2 }],
  ])("lora refuses %s %j", (name, value) => {
    expect(problems(() => use(["lora", { [name]: value }]))).toEqual([expect.stringContaining(`lora: \`${name}\` `)]);
  });

  test("flags' texts and JSON's values mean the same", () => {
    const fromFlags = use([
      "lora",
      { rank: "4", alpha: "8", targets: "q_lin,v_lin", layers: "0-1", rankStabilized: "true" },
    ]);
    const fromJson = use([
      "lora",
      { rank: 4, alpha: 8, targets: ["q_lin", "v_lin"], layers: [0, 1], rankStabilized: true },
    ]);
    expect(fromFlags.options).toEqual(fromJson.options);
    expect(use(["lora", fromJson.options]).options).toEqual(fromJson.options); // what was parsed parses again
  });
});

describe("two methods on one site", () => {
  test.each([
    [["lora", {}], ["dora", {}], "lora and dora cannot both act on distilbert.transformer.layer.0.attention.q_lin"],
    [["lora", {}], ["ia3", {}], "lora and ia3 cannot both act on distilbert.transformer.layer.0.attention.v_lin"],
    [
      ["bottleneck", {}],
      ["parallel", {}],
      "bottleneck and parallel cannot both act on distilbert.transformer.layer.0.output_adapters",
    ],
    [
      ["prefix", {}],
      ["prefix", { tokens: 3 }],
      "prefix and prefix cannot both act on distilbert.transformer.layer.0.attention",
    ],
    [
      ["lora", {}],
      ["lora", { rank: 2 }],
      "lora and lora cannot both act on distilbert.transformer.layer.0.attention.q_lin",
    ],
  ] as const)("%j and %j are refused", (first, second, message) => {
    expect(problems(() => put(distilbert, [first, second]))).toContain(message);
  });

  test("side by side on different sites, they are not", () => {
    expect(
      problems(() =>
        put(distilbert, [
          ["lora", { targets: "q_lin" }],
          ["ia3", { targets: "k_lin,lin2" }],
          ["bottleneck", { layerNorms: false }],
          ["prefix", {}],
          ["bitfit", {}],
        ]),
      ),
    ).toEqual([]);
  });
});

test("a method that finds no site to act at is refused, of whatever kind its sites are", () => {
  const idle = defineMethod({
    name: "idle",
    summary: "acts nowhere",
    source: "none",
    start: "base",
    rate: 1e-3,
    options: {},
    sublayer: { adds: true, targets: () => false, apply: ({ y }) => y },
  });
  const found = problems(() => adapt(bert, [idle.use({})], { task: "classification", labels: 2 }));
  expect(found).toEqual(["idle finds nothing to act on in this bert"]);
});

test("a prefix and a prompt do not go together: their files would have one name for both", () => {
  const both: readonly Use[] = [
    ["prompt", { tokens: 3 }],
    ["prefix", { tokens: 3 }],
  ];
  expect(problems(() => put(distilbert, both))).toEqual(['prompt and prefix both train "prompt_embeddings"']);
  const [prompt] = both;
  expect(problems(() => put(distilbert, prompt ? [prompt, prompt] : []))).toEqual([
    "prompt and prompt cannot both act on distilbert.embeddings.word_embeddings",
  ]);
});

test("an update of embeddings that the output layer shares is not merged, since the output layer does not have it", () => {
  const adapted = put(bert, [["lora", { targets: "word_embeddings,query" }]], "masked-lm");
  expect(problems(() => adapted.merged())).toEqual([
    "lora on bert.embeddings.word_embeddings cannot be merged: the output layer reads that table too, unchanged",
  ]);
  const merged = put(bert, [["lora", { targets: "word_embeddings,query" }]]).merged();
  expect(Object.keys(merged)).toContain("bert.embeddings.word_embeddings.weight");
});

/** Where AdapterHub's library puts LoRA and (IA)³ in an architecture, below a layer's path, and what it calls a prefix. */
export interface Places {
  /** the flag's matrices q, k and v: a layer each, or all in one, one behind the other */
  readonly attention: Readonly<Record<"q" | "k" | "v", string>> | string;
  /** the flags intermediate_lora and output_lora */
  readonly intermediate: string;
  readonly output: string;
  readonly prefix: string;
}

const bert: Places = {
  attention: { q: "attention.self.query", k: "attention.self.key", v: "attention.self.value" },
  intermediate: "intermediate.dense",
  output: "output.dense",
  prefix: "self_prefix",
};

/** As the library has it: what it calls the intermediate layer is the second of the feed-forward, and the output the first. */
const llama: Places = {
  attention: { q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj" },
  intermediate: "mlp.down_proj",
  output: "mlp.up_proj",
  prefix: "self_prefix",
};

/** By config.json's model_type. */
export const placesOf: ReadonlyMap<string, Places> = new Map([
  ["bert", bert],
  ["roberta", bert],
  [
    "distilbert",
    {
      attention: { q: "attention.q_lin", k: "attention.k_lin", v: "attention.v_lin" },
      ...{ intermediate: "ffn.lin1", output: "ffn.lin2", prefix: "self" },
    },
  ],
  ["gpt2", { attention: "attn.c_attn", intermediate: "mlp.c_fc", output: "mlp.c_proj", prefix: "self_prefix" }],
  ["llama", llama],
  ["mistral", llama],
]);

/** The matrices of a fused attention layer in the order of its blocks. */
export const matrices = ["q", "k", "v"] as const;

/** The number of the layer in a tensor's name, that of its first `.name.N.` segment; undefined outside the stack. */
export function layerOf(name: string): number | undefined {
  const match = /\.[^.]+\.(\d+)(\.|$)/.exec(`.${name}`);
  return match ? Number(match[1]) : undefined;
}

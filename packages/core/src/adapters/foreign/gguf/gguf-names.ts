/** Linear layers as GGUF names them below `blk.N.`, by Hugging Face's names below a layer's path. */
const llama: Readonly<Record<string, string>> = {
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** How llama.cpp knows an architecture. */
export interface GgufArchitecture {
  /** `general.architecture`; Mistral's files say Llama */
  readonly name: string;
  /** in front of a layer's number in Hugging Face's paths */
  readonly stack: string;
  readonly layers: Readonly<Record<string, string>>;
  /** layers whose rows llama.cpp keeps in pairs, as it turns neighbours by their position */
  readonly paired: readonly string[];
}

const decoder = (name: string, paired: readonly string[] = []): GgufArchitecture => ({
  name,
  stack: "model.layers",
  layers: llama,
  paired,
});

/**
 * By config.json's model_type.
 * Source: ggml-org/llama.cpp, gguf-py/gguf/tensor_mapping.py; convert_hf_to_gguf.py (LlamaModel.permute)
 */
export const ggufArchitectures: ReadonlyMap<string, GgufArchitecture> = new Map([
  ["llama", decoder("llama", ["self_attn.q_proj", "self_attn.k_proj"])],
  ["mistral", decoder("llama", ["self_attn.q_proj", "self_attn.k_proj"])],
  ["qwen2", decoder("qwen2")],
  ["qwen3", decoder("qwen3")],
  ["gemma2", decoder("gemma2")],
  ["gemma3_text", decoder("gemma3")],
  [
    "phi3",
    {
      ...decoder("phi3"),
      layers: {
        "self_attn.qkv_proj": "attn_qkv",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
      },
    },
  ],
  [
    "gpt2",
    {
      name: "gpt2",
      stack: "transformer.h",
      paired: [],
      layers: {
        "attn.c_attn": "attn_qkv",
        "attn.c_proj": "attn_output",
        "mlp.c_fc": "ffn_up",
        "mlp.c_proj": "ffn_down",
      },
    },
  ],
]);

"""Writes random weights as a GGUF file, in the shape that a Qwen2 checkpoint's config.json tells, for bench/generate.mjs.

    python bench/python/write_gguf.py --config FILE --type Q4_0|Q8_0|F16|F32 [--head-type Q8_0] --out FILE

Needs `pip install gguf`. The vocabulary is of made-up words, since the bench asks for ids alone.
"""

import argparse
import json

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--config", required=True)
parser.add_argument("--type", required=True)
parser.add_argument("--head-type", help="of the tied table of tokens, --type where left out")
parser.add_argument("--out", required=True)
given = parser.parse_args()
config = json.load(open(given.config))
hidden, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
keys = hidden // heads * groups

writer = GGUFWriter(given.out, "qwen2")
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(hidden)
writer.add_feed_forward_length(inner)
writer.add_block_count(config["num_hidden_layers"])
writer.add_head_count(heads)
writer.add_head_count_kv(groups)
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_rope_freq_base(config["rope_theta"])
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("qwen2")
writer.add_token_list([f"t{i}" for i in range(vocabulary)])
writer.add_token_types([1] * vocabulary)
writer.add_token_merges(["t 1"])
writer.add_bos_token_id(0)
writer.add_eos_token_id(1)

random = np.random.default_rng(0)


def matrix(name, rows, columns, kind):
    kind = GGMLQuantizationType[kind]
    drawn = 0.02 * random.standard_normal((rows, columns), dtype=np.float32)
    writer.add_tensor(name, quants.quantize(drawn, kind), raw_dtype=kind)


def vector(name, length, value):
    writer.add_tensor(name, np.full(length, value, np.float32))


matrix("token_embd.weight", vocabulary, hidden, given.head_type or given.type)
vector("output_norm.weight", hidden, 1)
for layer in range(config["num_hidden_layers"]):
    for norm in ["attn_norm", "ffn_norm"]:
        vector(f"blk.{layer}.{norm}.weight", hidden, 1)
    for name, rows in [("attn_q", hidden), ("attn_k", keys), ("attn_v", keys)]:
        matrix(f"blk.{layer}.{name}.weight", rows, hidden, given.type)
        vector(f"blk.{layer}.{name}.bias", rows, 0)
    for name, rows, columns in [
        ("attn_output", hidden, hidden),
        ("ffn_gate", inner, hidden),
        ("ffn_up", inner, hidden),
        ("ffn_down", hidden, inner),
    ]:
        matrix(f"blk.{layer}.{name}.weight", rows, columns, given.type)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

"""Golden outputs of transformers' decoders with every head, on tiny random checkpoints.

Writes models/<arch>-<head>[-<variant>]/ as models.py does: the checkpoint, and golden.json with `rows` and `logits`, or
`last_hidden_state`. The rows of CAUSAL variants begin with one that is padded on the left.

    python packages/core/golden/decoders.py
"""

import json
import shutil

import torch
import transformers

from tiny import MODELS, PAD, VOCABULARY, collate, load, logits, ragged_rows, randomize, row_outputs, visible, word_ids, write_json

CLASSES = {
    "llama": "Llama",
    "mistral": "Mistral",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "gemma2": "Gemma2",
    "gemma3_text": "Gemma3Text",
    "phi3": "Phi3",
    "gpt2": "GPT2",
}
# the family of Llama shares its modules: the others are tried as language models and as text classifiers
WHOLE = {"llama", "gpt2"}
OWN = {
    "mistral": dict(sliding_window=5),
    "qwen3": dict(head_dim=16),
    "gemma2": dict(
        head_dim=16, query_pre_attn_scalar=24, sliding_window=5, final_logit_softcapping=3.0, attn_logit_softcapping=2.0
    ),
    "gemma3_text": dict(
        num_hidden_layers=3,
        head_dim=16,
        query_pre_attn_scalar=24,
        sliding_window=4,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters={
            "full_attention": dict(rope_type="linear", factor=2.0, rope_theta=500.0),
            "sliding_attention": dict(rope_type="default", rope_theta=50.0),
        },
    ),
    "phi3": dict(eos_token_id=2),
}
HEADS = {
    "base": "Model",
    "causal-lm": "ForCausalLM",
    "sequence-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
}
LABELS = {"sequence-classification": 3, "token-classification": 5}
ROPE = {
    "linear": dict(rope_type="linear", factor=4.0, rope_theta=500.0),
    "dynamic": dict(rope_type="dynamic", factor=2.0, rope_theta=100.0),
    "llama3": dict(
        rope_type="llama3",
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=16,
        rope_theta=50.0,
    ),
    "yarn": dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, rope_theta=100.0, beta_fast=4.0),
}
# variant -> its configuration; the head is a causal LM's
VARIANTS = {
    "llama": {
        "tied": dict(tie_word_embeddings=True, num_key_value_heads=4, attention_bias=True, mlp_bias=True, pad_token_id=None),
        "wide-heads": dict(head_dim=16, num_key_value_heads=1, hidden_act="gelu"),
        # rows of 12 tokens are longer than the pre-training's
        **{kind: dict(rope_parameters=rope, max_position_embeddings=8 if kind == "dynamic" else 64) for kind, rope in ROPE.items()},
    },
    "qwen2": {"window": dict(use_sliding_window=True, sliding_window=4, max_window_layers=1)},
    "qwen3": {"biases": dict(attention_bias=True, tie_word_embeddings=True)},
    "gpt2": {
        "untied": dict(
            tie_word_embeddings=False, scale_attn_by_inverse_layer_idx=True, activation_function="relu", n_inner=None
        )
    },
    "phi3": {
        "longrope": dict(
            original_max_position_embeddings=8,
            max_position_embeddings=64,
            rope_parameters=dict(
                rope_type="longrope",
                rope_theta=100.0,
                partial_rotary_factor=0.5,
                short_factor=[1.0, 1.5],
                long_factor=[1.25, 4.0],
            ),
        )
    },
}
# the frequencies depend on the longest row of a batch
BY_LENGTH = ("dynamic", "longrope")


def gpt2_config(**more):
    sizes = dict(vocab_size=VOCABULARY, n_embd=32, n_head=4, n_layer=2, n_inner=48, n_positions=64)
    return transformers.GPT2Config(**{**sizes, "pad_token_id": PAD["gpt2"], "eos_token_id": 2, "bos_token_id": 1, **more})


def config(arch, **more):
    if arch == "gpt2":
        return gpt2_config(**more)
    settings = dict(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=2,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=PAD[arch],
    )
    return getattr(transformers, f"{CLASSES[arch]}Config")(**{**settings, **OWN.get(arch, {}), **more})


def model_class(arch, head):
    if (arch, head) == ("gpt2", "causal-lm"):
        return transformers.GPT2LMHeadModel
    name = CLASSES[arch] if head != "causal-lm" else CLASSES[arch].removesuffix("Text")
    return getattr(transformers, name + HEADS[head])


def save(arch, head, name, seed, **more):
    labels = dict(num_labels=LABELS[head]) if head in LABELS else {}
    model = randomize(model_class(arch, head)(config(arch, **labels, **more)), seed)
    shutil.rmtree(MODELS / name, ignore_errors=True)
    model.save_pretrained(MODELS / name)


def padded_left(arch, seed):
    ids = word_ids(5, torch.Generator().manual_seed(seed))
    return {"input_ids": [PAD[arch]] * 3 + ids, "attention_mask": [0] * 3 + [1] * 5}


def alone(model, rows, arch):
    with torch.no_grad():
        return [row_outputs(model(**collate([row], arch)).logits, [row])[0] for row in rows]


def golden(arch, head, name, seed, variant=None):
    rows = ragged_rows(arch, seed)
    model = load(model_class(arch, head), MODELS / name)
    if head == "base":
        with torch.no_grad():
            return {"rows": rows, "last_hidden_state": visible(model(**collate(rows, arch)).last_hidden_state, rows)}
    if variant in BY_LENGTH:
        return {"rows": rows, "logits": alone(model, rows, arch)}
    # transformers counts learned positions from the padding on
    rows = [padded_left(arch, seed)] + rows if variant and arch != "gpt2" else rows
    return {"rows": rows, "logits": logits(model, rows, arch)}


def as_before_transformers_5(name):
    """config.json as transformers 4 wrote it: rope_theta beside rope_scaling."""
    path = MODELS / name / "config.json"
    fields = json.loads(path.read_text())
    rope = fields.pop("rope_parameters")
    fields["rope_theta"] = rope.pop("rope_theta")
    fields["rope_scaling"] = {**{key: value for key, value in rope.items() if key != "rope_type"}, "type": rope["rope_type"]}
    path.write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")


def main():
    for seed, arch in enumerate(CLASSES):
        heads = HEADS if arch in WHOLE else ("causal-lm", "sequence-classification")
        cases = [(head, None, {}) for head in heads] + [("causal-lm", v, more) for v, more in VARIANTS.get(arch, {}).items()]
        for case, (head, variant, more) in enumerate(cases):
            name = "-".join(filter(None, (arch, head, variant)))
            save(arch, head, name, 6000 + 100 * seed + case, **more)
            if variant == "linear":
                as_before_transformers_5(name)
            write_json(MODELS / name / "golden.json", golden(arch, head, name, 7000 + 100 * seed + case, variant))
            print(name)


if __name__ == "__main__":
    main()

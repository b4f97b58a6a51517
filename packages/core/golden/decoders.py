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

CLASSES = {"llama": "Llama"}
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
}


def config(arch, **more):
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
    return getattr(transformers, f"{CLASSES[arch]}Config")(**{**settings, **more})


def model_class(arch, head):
    return getattr(transformers, CLASSES[arch] + HEADS[head])


def save(arch, head, name, seed, **more):
    labels = dict(num_labels=LABELS[head]) if head in LABELS else {}
    model = randomize(model_class(arch, head)(config(arch, **labels, **more)), seed)
    shutil.rmtree(MODELS / name, ignore_errors=True)
    model.save_pretrained(MODELS / name)


def padded_left(arch, seed):
    ids = word_ids(5, torch.Generator().manual_seed(seed))
    return {"input_ids": [PAD[arch]] * 3 + ids, "attention_mask": [0] * 3 + [1] * 5}


def alone(model, rows, arch):
    """Row by row: "dynamic" frequencies depend on the longest row of a batch."""
    with torch.no_grad():
        return [row_outputs(model(**collate([row], arch)).logits, [row])[0] for row in rows]


def golden(arch, head, name, seed, variant=None):
    rows = ragged_rows(arch, seed)
    model = load(model_class(arch, head), MODELS / name)
    if head == "base":
        with torch.no_grad():
            return {"rows": rows, "last_hidden_state": visible(model(**collate(rows, arch)).last_hidden_state, rows)}
    if variant == "dynamic":
        return {"rows": rows, "logits": alone(model, rows, arch)}
    rows = [padded_left(arch, seed)] + rows if variant else rows
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
        cases = [(head, None, {}) for head in HEADS] + [("causal-lm", v, more) for v, more in VARIANTS.get(arch, {}).items()]
        for case, (head, variant, more) in enumerate(cases):
            name = "-".join(filter(None, (arch, head, variant)))
            save(arch, head, name, 6000 + 100 * seed + case, **more)
            if variant == "linear":
                as_before_transformers_5(name)
            write_json(MODELS / name / "golden.json", golden(arch, head, name, 7000 + 100 * seed + case, variant))
            print(name)


if __name__ == "__main__":
    main()

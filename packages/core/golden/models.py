"""Golden outputs of transformers' BERT, RoBERTa and DistilBERT with every head, on tiny random checkpoints.

Writes models/<arch>-<head>[-<variant>]/: the checkpoint as save_pretrained writes it, and golden.json with
`rows` (unpadded inputs) and the expected `logits` of each row, or `last_hidden_state` (and `pooler_output`)
for a model without a head. Per-token outputs leave out the positions whose attention_mask is 0.

    python packages/core/golden/models.py
"""

import shutil

import torch
import transformers

from tiny import MODELS, collate, config, load, logits, ragged_rows, randomize, visible, write_json

PREFIX = {"bert": "Bert", "roberta": "Roberta", "distilbert": "DistilBert"}
HEADS = {
    "base": ("Model", dict(dropout=0.1)),
    "sequence-classification": ("ForSequenceClassification", dict(num_labels=3)),
    "regression": ("ForSequenceClassification", dict(num_labels=1)),
    "token-classification": ("ForTokenClassification", dict(num_labels=5)),
    "masked-lm": ("ForMaskedLM", {}),
}
# bert has a third layer where adapters choose among layers; two regressions have other activations
SETTINGS = {
    "bert-sequence-classification": dict(layers=3),
    "bert-regression": dict(activation="gelu_new"),
    "distilbert-regression": dict(activation="relu"),
}
# variant name -> (the folder it varies, extra config, how it is saved)
VARIANTS = {
    "bert-masked-lm-untied": ("bert-masked-lm", dict(tie_word_embeddings=False), {}),
    "bert-sequence-classification-sharded": ("bert-sequence-classification", dict(layers=1), dict(shard="30KB")),
    "bert-sequence-classification-bf16": ("bert-sequence-classification", dict(layers=1), dict(dtype=torch.bfloat16)),
    "distilbert-sequence-classification-f16": (
        "distilbert-sequence-classification",
        dict(layers=1),
        dict(dtype=torch.float16),
    ),
}


def model_class(name):
    arch, head = name.split("-", 1)
    return getattr(transformers, PREFIX[arch] + HEADS[head][0])


def build(name, seed, **more):
    arch, head = name.split("-", 1)
    settings = {**HEADS[head][1], **SETTINGS.get(name, {}), **more}
    model = model_class(name)(config(arch, **settings))
    return randomize(model, seed)


def save(model, folder, dtype=torch.float32, shard="50GB"):
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)


def golden(name, kind, seed):
    """The outputs of the checkpoint as read back from its files in float32."""
    arch, head = kind.split("-", 1)
    rows = ragged_rows(arch, seed)
    model = load(model_class(kind), MODELS / name)
    if head != "base":
        return {"rows": rows, "logits": logits(model, rows, arch)}
    with torch.no_grad():
        outputs = model(**collate(rows, arch))
    document = {"rows": rows, "last_hidden_state": visible(outputs.last_hidden_state, rows)}
    if "pooler_output" in outputs:
        document["pooler_output"] = list(outputs.pooler_output)
    return document


def main():
    kinds = {f"{arch}-{head}": (f"{arch}-{head}", {}, {}) for arch in PREFIX for head in HEADS}
    for seed, (name, (kind, settings, saving)) in enumerate({**kinds, **VARIANTS}.items()):
        torch.manual_seed(seed)
        save(build(kind, seed, **settings), MODELS / name, **saving)
        write_json(MODELS / name / "golden.json", golden(name, kind, seed + 1000))
        print(name)


if __name__ == "__main__":
    main()

"""What every golden script starts from: tiny random models, ragged rows, padded batches, short JSON.

The models have the published architectures' shapes in small (hidden 32, 4 heads, FFN 64, vocabulary 96).
Every weight is drawn large enough that a wrong or forgotten one moves the outputs visibly.
"""

import json
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).resolve().parent
MODELS = HERE / "models"
VOCABULARY = 96
FIRST_WORD = 5  # smaller ids are kept for special tokens
PAD = {"bert": 0, "roberta": 1, "distilbert": 0}
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2")
PAD.update((arch, 0) for arch in DECODERS)

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def config(arch, *, layers=2, activation="gelu", dropout=0.0, **more):
    """The architecture's own config class, in small; `more` reaches the config unchanged."""
    if arch == "distilbert":
        return transformers.DistilBertConfig(
            vocab_size=VOCABULARY,
            dim=32,
            n_heads=4,
            n_layers=layers,
            hidden_dim=64,
            max_position_embeddings=64,
            activation=activation,
            dropout=dropout,
            attention_dropout=dropout,
            seq_classif_dropout=dropout,
            pad_token_id=PAD[arch],
            **more,
        )
    shared = dict(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_attention_heads=4,
        num_hidden_layers=layers,
        intermediate_size=64,
        hidden_act=activation,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=PAD[arch],
        **more,
    )
    if arch == "bert":
        return transformers.BertConfig(max_position_embeddings=64, type_vocab_size=2, **shared)
    # RoBERTa counts positions from pad_token_id + 1, so 64 tokens need 66 positions
    return transformers.RobertaConfig(
        max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5, bos_token_id=0, eos_token_id=2, **shared
    )


def draw(tensor, generator, std, mean=0.0):
    """Overwrites `tensor` with normals of the given mean and standard deviation."""
    with torch.no_grad():
        tensor.copy_(mean + std * torch.randn(tensor.shape, generator=generator))


def randomize(model, seed, std=0.15):
    """Draws every parameter anew: matrices and biases around 0, norm weights around 1."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        is_norm_weight = ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight")
        draw(parameter, generator, std, mean=1.0 if is_norm_weight else 0.0)
    model.tie_weights()
    return model.eval()


def load(model_class, folder):
    """The checkpoint in float32 with eager attention, in evaluation mode."""
    return model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def ragged_rows(arch, seed, lengths=(3, 7, 12, 12)):
    """Rows without padding; the last one hides two tokens in its middle, BERT's middle rows have two segments."""
    generator = torch.Generator().manual_seed(seed)
    rows = [{"input_ids": word_ids(length, generator)} for length in lengths]
    if arch == "bert":
        for row in rows[1:3]:
            length = len(row["input_ids"])
            row["token_type_ids"] = [0] * (length // 2) + [1] * (length - length // 2)
    mask = [1] * lengths[-1]
    mask[4] = mask[5] = 0
    rows[-1]["attention_mask"] = mask
    return rows


def word_ids(length, generator):
    return torch.randint(FIRST_WORD, VOCABULARY, (length,), generator=generator).tolist()


def mask_of(row):
    return row.get("attention_mask", [1] * len(row["input_ids"]))


def collate(rows, arch):
    """Right-pads rows into one batch of model inputs."""
    longest = max(len(row["input_ids"]) for row in rows)

    def padded(values, filler):
        return values + [filler] * (longest - len(values))

    batch = {
        "input_ids": torch.tensor([padded(row["input_ids"], PAD[arch]) for row in rows]),
        "attention_mask": torch.tensor([padded(mask_of(row), 0) for row in rows]),
    }
    if any("token_type_ids" in row for row in rows):
        types = [padded(row.get("token_type_ids", [0] * len(row["input_ids"])), 0) for row in rows]
        batch["token_type_ids"] = torch.tensor(types)
    return batch


def visible(outputs, rows):
    """Per row, the outputs at the positions whose mask is 1: [tokens, ...] each."""
    return [
        output[: len(row["input_ids"])][torch.tensor(mask_of(row), dtype=torch.bool)]
        for output, row in zip(outputs, rows)
    ]


def row_outputs(outputs, rows):
    """One entry per row: per-example outputs [batch, classes] as they are, per-token outputs without hidden tokens."""
    return list(outputs) if outputs.dim() == 2 else visible(outputs, rows)


def logits(model, rows, arch):
    """The model's logits in one right-padded batch; checks that no row sees the padding or its neighbours."""
    with torch.no_grad():
        together = row_outputs(own_logits(model, collate(rows, arch)), rows)
        for row, expected in zip(rows, together):
            alone = row_outputs(own_logits(model, collate([row], arch)), [row])[0]
            torch.testing.assert_close(alone, expected, rtol=1e-4, atol=2e-5)
    return together


def own_logits(model, batch):
    """The batch's logits; a token's own ones stand behind those of PEFT's virtual tokens."""
    outputs = model(**batch).logits
    return outputs if outputs.dim() == 2 else outputs[:, -batch["input_ids"].shape[1] :]


def plain(value):
    """Tensors as nested lists, floats with the nine digits that identify a float32."""
    if isinstance(value, torch.Tensor):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


def write_json(path, document):
    """One line per top-level key and per row of a table, so that a changed number shows as one changed line."""
    lines = []
    for key, value in plain(document).items():
        if isinstance(value, list) and isinstance(value[0], (list, dict)):
            items = ",\n    ".join(json.dumps(item) for item in value)
            lines.append(f"  {json.dumps(key)}: [\n    {items}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")

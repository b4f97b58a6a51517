"""Adapters of mlx-lm with their logits, on the tiny decoders of decoders.py.

Writes mlx/<case>/ with the two files that `mlx_lm lora` leaves, every trained tensor drawn anew, and golden.json (`base`,
`logits`, of the base's rows without an attention mask, which mlx-lm's models do not take). The tiny Mistral and Gemma are left
out, whose windows mlx-lm does not know, and Qwen 2, whose rotary base it looks for where transformers 5 no longer writes it.

    python packages/core/golden/mlx_adapters.py  # mlx-lm==0.32.2, on Linux mlx[cpu]==0.32.4
"""

import json
import shutil

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.lora import CONFIG_DEFAULTS
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model, save_config

from tiny import HERE, MODELS, write_json

OUT = HERE / "mlx"
# architecture, fine_tune_type, layers from the top, parameters
CASES = {
    "llama-lora": ("llama", "lora", 2, dict(rank=4, scale=1.5, dropout=0.0)),
    "llama-lora-keys": ("llama", "lora", 1, dict(rank=3, scale=2.0, dropout=0.1, keys=["self_attn.q_proj", "mlp.up_proj"])),
    "llama-dora": ("llama", "dora", 2, dict(rank=4, scale=1.5, dropout=0.0, keys=["self_attn.k_proj", "mlp.down_proj"])),
    "qwen3-dora": ("qwen3", "dora", 1, dict(rank=2, scale=3.0, dropout=0.0)),
    "phi3-lora": ("phi3", "lora", 2, dict(rank=4, scale=0.5, dropout=0.0)),
}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (case, (arch, kind, layers, parameters)) in enumerate(CASES.items()):
        base = f"{arch}-causal-lm"
        model, _ = load_model(MODELS / base)
        model.freeze()
        linear_to_lora_layers(model, layers, parameters, use_dora=kind == "dora")
        draw(model, seed)
        folder = OUT / case
        folder.mkdir(parents=True)
        mx.save_safetensors(str(folder / "adapters.safetensors"), dict(tree_flatten(model.trainable_parameters())))
        told = dict(model=base, train=True, fine_tune_type=kind, num_layers=layers, lora_parameters=parameters)
        save_config({**CONFIG_DEFAULTS, **told}, folder / "adapter_config.json")
        write_json(folder / "golden.json", dict(base=base, logits=logits(model.eval(), base)))
        print(case)


def draw(model, seed):
    """Factors around 0, DoRA's lengths by a factor around 1."""
    mx.random.seed(seed)
    for name, tensor in sorted(tree_flatten(model.trainable_parameters())):
        noise = mx.random.normal(tensor.shape)
        model.load_weights([(name, tensor * (1 + 0.2 * noise) if name.endswith(".m") else 0.3 * noise)], strict=False)


def logits(model, base):
    """Of each row without a mask, [tokens, vocabulary]."""
    rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
    return [model(mx.array([row["input_ids"]]))[0].tolist() for row in rows if "attention_mask" not in row]


if __name__ == "__main__":
    main()

"""Adapters of AdapterHub's library with their logits, on the tiny checkpoints of models.py.

Every tensor of an adapter and its head is drawn large enough to move the logits. Writes adapterhub/<base>-<config>/ with
the library's own files, as its save_adapter leaves them, and golden.json (`base`, `logits`, row by row without padding).
The files are torch's, the library's default, but where `safe` is asked for.

    python -P packages/core/golden/adapterhub.py  # in an environment with adapters==1.3.0, transformers==4.57.6
"""

import json
import shutil
from pathlib import Path

import adapters
import torch
from transformers import AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
OUT = HERE / "adapterhub"
CASES = {
    "bert-seq_bn": ("seq_bn", False),
    "bert-double_seq_bn": ("double_seq_bn", True),
    "bert-scaled_par_bn": ("scaled_par_bn", False),
    "bert-lora": ('lora[r=4,alpha=6,attn_matrices=["q","v"],intermediate_lora=True]', False),
    "bert-ia3": ("ia3", True),
    "roberta-seq_bn": ("seq_bn[reduction_factor=8]", True),
    "distilbert-par_bn": ("par_bn", False),
    "gpt2-lora": ('lora[r=3,alpha=5,attn_matrices=["q","v"],output_lora=True]', False),
    "gpt2-ia3": ("ia3", False),
    "gpt2-double_seq_bn": ("double_seq_bn", False),
    "llama-lora": ('lora[r=4,alpha=6,intermediate_lora=True]', False),
    "llama-seq_bn": ("seq_bn", False),
    "bert-prefix": ("prefix_tuning[prefix_length=5,bottleneck_size=12,leave_out=[0]]", False),
    "bert-prefix_flat": ("prefix_tuning_flat[prefix_length=4]", False),
    "roberta-prefix_flat": ("prefix_tuning_flat[prefix_length=3]", False),
    "distilbert-prefix": ("prefix_tuning[prefix_length=3,bottleneck_size=6]", False),
    "gpt2-prefix": ("prefix_tuning[prefix_length=3,bottleneck_size=10]", False),
    "gpt2-prefix_flat": ("prefix_tuning_flat[prefix_length=4]", False),
    "llama-prefix": ("prefix_tuning[prefix_length=4,bottleneck_size=8]", False),
    "llama-prefix_flat": ("prefix_tuning_flat[prefix_length=5,leave_out=[1]]", False),
    "bert-seq_bn-table": (adapters.SeqBnConfig(reduction_factor={"0": 8, "default": 16}), True),
    "bert-par_bn-table": (adapters.ParBnConfig(reduction_factor={"1": 4, "default": 2}, mh_adapter=True), True),
}


def draw(model, name, seed):
    """Every trained tensor anew."""
    model.train_adapter(name)
    generator = torch.Generator().manual_seed(seed)
    for key, tensor in model.named_parameters():
        if tensor.requires_grad:
            spread = 0.1 if "prediction" in key or "classifier" in key or "score" in key else 0.3
            noise = torch.randn(tensor.shape, generator=generator) * spread
            tensor.data = noise + (1 if tensor.shape[-1:] == (1,) else 0)


def logits(model, rows):
    with torch.no_grad():
        return [
            [float(value) for value in model(**{key: torch.tensor([value]) for key, value in row.items()}).logits[0]]
            for row in rows
        ]


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (case, (config, safe)) in enumerate(CASES.items()):
        base = f"{case.split('-')[0]}-sequence-classification"
        model = AutoModelForSequenceClassification.from_pretrained(HERE / "models" / base, attn_implementation="eager")
        adapters.init(model)
        name = "my-task"
        model.add_adapter(name, config=config)
        draw(model, name, seed)
        model.set_active_adapters(name)
        model.eval()
        rows = json.loads((HERE / "models" / base / "golden.json").read_text())["rows"]
        (OUT / case).mkdir(parents=True)
        model.save_adapter(OUT / case, name, use_safetensors=safe)
        for file in (OUT / case).glob("*_config.json"):
            file.write_text(file.read_text().replace(str(HERE / "models" / base), base))
        (OUT / case / "golden.json").write_text(json.dumps({"base": base, "logits": logits(model, rows)}, indent=1) + "\n")
        print(case, sorted(path.name for path in (OUT / case).iterdir()))


if __name__ == "__main__":
    main()

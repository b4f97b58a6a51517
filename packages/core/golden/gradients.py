"""Golden gradients: one batch's loss and the gradient of every trained tensor, from torch in float64.

Starts where the runs of training_cases.py start (their `base` and `init`, cast to float64) with their first batch.
Writes gradients/<case>.json (`case` names the run, `data` and `batch` its rows, `loss`) and <case>.safetensors: the
gradients in float32, named as the trained tensors are saved (PEFT's adapter keys; plain names without an adapter).

    python packages/core/golden/gradients.py        (after training.py)
"""

import shutil

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import save_file

from peft_cases import arch_of
from tiny import HERE, collate, write_json
from training import batches
from training_cases import CASES, start, trained
from training_data import labels, rows

OUT = HERE / "gradients"
NAMES = (
    "bert-lora",
    "bert-dora",
    "bert-ia3",
    "bert-prefix",
    "bert-full",
    "bert-lora-regression",
    "distilbert-dora",
    "roberta-ia3",
)


def gradients(model):
    """{saved name: gradient}: the saving code itself renames them, after each tensor was replaced by its gradient."""
    parameters = trained(model)
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(parameter.grad)
    saved = get_peft_model_state_dict(model) if hasattr(model, "peft_config") else parameters
    return {name: tensor.detach().to(torch.float32).contiguous() for name, tensor in saved.items()}


def write_case(name, settings):
    flags = settings["flags"]
    batch = next(batches(rows(flags["task"]), flags["batch"]))
    targets = labels(batch)
    model = start(settings).to(torch.float64)
    targets = targets.to(model.dtype) if targets.is_floating_point() else targets
    loss = model(**collate(batch, arch_of(settings["base"])), labels=targets).loss
    loss.backward()
    save_file(gradients(model), OUT / f"{name}.safetensors")
    data = f"training/data/{flags['task']}.jsonl"
    write_json(OUT / f"{name}.json", {"case": name, "data": data, "batch": flags["batch"], "loss": loss.item()})
    print(f"{name}: loss {loss.item():.6f}")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for name in NAMES:
        write_case(name, CASES[name])


if __name__ == "__main__":
    main()

"""Golden training runs: 30 steps of torch on the tiny models, with the adapters of Hugging Face PEFT.

Writes training/<case>.json: `flags` as `petl train` names them, `base`, `init` and `data` (paths below golden/),
`trained_parameters` (with the head), and per step `loss` (the mean over the step's examples or labelled tokens,
before the update), `grad_norm` (over everything trained, before clipping) and `lr`. `logits` are the trained model's
on the rows of the base's golden.json. `rounding` says how far the same run in float64 is from each of these: no
test can ask for less. Data and missing first adapters go to training/data/ and training/<case>/.

    python packages/core/golden/training.py        (after models.py and adapters.py)
"""

import json
import shutil
from pathlib import Path

import torch
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from peft_cases import arch_of
from tiny import MODELS, collate, logits, write_json
from training_cases import CASES, OUT, start, trained, write_new_adapters
from training_data import IGNORED, labels, rows, write_rows

SCHEDULES = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}


def optimizer_of(parameters, flags):
    if flags["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=flags["lr"], weight_decay=flags["weight-decay"])
    return torch.optim.AdamW(
        parameters,
        lr=flags["lr"],
        betas=(flags["beta1"], flags["beta2"]),
        eps=flags["epsilon"],
        weight_decay=flags["weight-decay"],
    )


def batches(all_rows, size):
    """Consecutive batches in the file's order, epoch after epoch."""
    while True:
        for first in range(0, len(all_rows), size):
            yield all_rows[first : first + size]


def counted(batch):
    """How many examples, or labelled tokens, a batch's mean loss is over."""
    return sum(1 if "label" in row else sum(label != IGNORED for label in row["labels"]) for row in batch)


def backward(model, micro_batches, arch):
    """Adds the gradient of the mean loss over all micro-batches; returns that loss."""
    total = sum(counted(batch) for batch in micro_batches)
    loss = 0.0
    for batch in micro_batches:
        targets = labels(batch)
        targets = targets.to(model.dtype) if targets.is_floating_point() else targets
        share = model(**collate(batch, arch), labels=targets).loss * (counted(batch) / total)
        share.backward()
        loss += share.item()
    return loss


def run(settings, dtype):
    flags, arch = settings["flags"], arch_of(settings["base"])
    model = start(settings).to(dtype)
    parameters = list(trained(model).values())
    optimizer = optimizer_of(parameters, flags)
    schedule = SCHEDULES[flags["schedule"]](optimizer, flags["warmup"], flags["steps"])
    stream = batches(rows(Path(settings["data"]).stem), flags["batch"])
    record = {"trained_parameters": sum(p.numel() for p in parameters), "loss": [], "grad_norm": [], "lr": []}
    for _ in range(flags["steps"]):
        optimizer.zero_grad()
        record["loss"].append(backward(model, [next(stream) for _ in range(flags["accumulate"])], arch))
        record["grad_norm"].append(torch.nn.utils.clip_grad_norm_(parameters, flags["clip"]).item())
        record["lr"].append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    golden_rows = json.loads((MODELS / settings["base"] / "golden.json").read_text())["rows"]
    return {**record, "logits": logits(model, golden_rows, arch)}


def distance(one, other):
    flat = zip(torch.as_tensor(one).flatten().tolist(), torch.as_tensor(other).flatten().tolist())
    return max(abs(a - b) for a, b in flat)


def write_case(name, settings):
    record, exact = run(settings, torch.float32), run(settings, torch.float64)
    rounding = {key: distance(record[key], exact[key]) for key in ("loss", "grad_norm")}
    rounding["logits"] = max(distance(a, b) for a, b in zip(record["logits"], exact["logits"]))
    write_json(OUT / f"{name}.json", {**settings, "rounding": rounding, **record})
    print(f"{name}: loss {record['loss'][0]:.3f} -> {record['loss'][-1]:.3f}, rounding {rounding}")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for name in sorted({Path(settings["data"]).stem for settings in CASES.values()}):
        write_rows(OUT / "data" / f"{name}.jsonl", name)
    write_new_adapters()
    for name, settings in CASES.items():
        torch.manual_seed(0)
        write_case(name, settings)


if __name__ == "__main__":
    main()

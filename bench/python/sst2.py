"""Trains all-MiniLM-L6-v2 on 10,000 rows of SST-2 with PEFT and prints one JSON line.

    python bench/python/sst2.py --method lora|lora-top|bitfit|full|head [--batches FILE] [--dropout on|off]
    python bench/python/sst2.py --write-batches FILE        (only writes the plan: token ids and batches)

Two epochs of batch 32, AdamW with weight decay 0.01, linear schedule with 6 % warm-up, clipping at 1, at most 128
tokens, padding to the batch's longest row, rows of similar length together, scaled-dot-product attention, float32.
Dropout is off by default: the model stays in evaluation mode while it trains; `--dropout on` trains in training mode.
`epoch_seconds` are the training steps alone, `evaluation_seconds` the 872 development rows.
"""

import argparse
import json
import math
from time import perf_counter

import peft
import torch
import transformers
from measures import peak_rss, surroundings
from sst2_data import load_plan, make_plan

RATES = {"lora": 2e-3, "lora-top": 2e-3, "bitfit": 3e-3, "full": 5e-5, "head": 5e-3}
DATA = "../shared/data"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=RATES, default="lora")
    parser.add_argument("--base", default=f"{DATA}/checkpoints/all-minilm-l6-v2")
    parser.add_argument("--data", default=f"{DATA}/classification/glue-sst2")
    parser.add_argument("--batches", help="read token ids and batches from this plan")
    parser.add_argument("--write-batches", help="write the plan here and stop")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--dropout", choices=("on", "off"), default="off")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-steps", type=int, help="stop every epoch after so many steps (a quick check)")
    return parser.parse_args()


def build(base, method):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=2, dtype=torch.float32, attn_implementation="sdpa"
    )
    if method in ("lora", "lora-top"):
        last = model.config.num_hidden_layers
        layers = [last - 2, last - 1] if method == "lora-top" else None
        config = peft.LoraConfig(
            r=8, lora_alpha=16, target_modules=["query", "value"], layers_to_transform=layers, task_type="SEQ_CLS"
        )
        return peft.get_peft_model(model, config)
    for name, parameter in model.named_parameters():
        is_bias = method == "bitfit" and name.endswith(".bias")
        parameter.requires_grad = method == "full" or is_bias or name.startswith("classifier.")
    return model


def collate(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    gaps = [longest - len(row["input_ids"]) for row in rows]
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * gap for row, gap in zip(rows, gaps)]),
        "attention_mask": torch.tensor([[1] * (longest - gap) + [0] * gap for gap in gaps]),
        "labels": torch.tensor([row["label"] for row in rows]),
    }


def train_epoch(model, optimizer, schedule, batches, rows):
    """Trains on the batches; returns their mean loss."""
    parameters = optimizer.param_groups[0]["params"]
    total = 0.0
    for batch in batches:
        optimizer.zero_grad()
        loss = model(**collate([rows[row] for row in batch])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
    return total / len(batches)


@torch.no_grad()
def accuracy(model, rows, size=64):
    right = 0
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    for first in range(0, len(ordered), size):
        batch = collate(ordered[first : first + size])
        right += (model(**batch).logits.argmax(-1) == batch["labels"]).sum().item()
    return right / len(rows)


def train(model, plan, given, lr):
    """Epochs of training and evaluation; returns the measured columns."""
    epochs = [batches[: given.max_steps] for batches in plan["epochs"][: given.epochs]]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.01)
    steps = sum(len(batches) for batches in epochs)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, math.ceil(0.06 * steps), steps)
    columns = {"epoch_seconds": [], "evaluation_seconds": [], "loss": [], "accuracy": []}
    for batches in epochs:
        model.train(given.dropout == "on")
        begin = perf_counter()
        columns["loss"].append(train_epoch(model, optimizer, schedule, batches, plan["train"]))
        columns["epoch_seconds"].append(round(perf_counter() - begin, 3))
        model.eval()
        begin = perf_counter()
        columns["accuracy"].append(accuracy(model, plan["dev"]))
        columns["evaluation_seconds"].append(round(perf_counter() - begin, 3))
    tokens = sum(len(plan["train"][row]["input_ids"]) for batches in epochs for batch in batches for row in batch)
    return {
        "steps": steps,
        "tokens": tokens,
        "tokens_per_second": round(tokens / sum(columns["epoch_seconds"]), 1),
        "trained_parameters": sum(parameter.numel() for parameter in parameters),
        **columns,
    }


def main():
    given = arguments()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    plan = (
        load_plan(given.batches)
        if given.batches
        else make_plan(given.base, given.data, given.rows, given.epochs, given.batch, given.max_length, given.seed)
    )
    if given.write_batches:
        with open(given.write_batches, "w", encoding="utf-8") as file:
            json.dump(plan, file)
        return
    lr = given.lr or RATES[given.method]
    around = surroundings()
    measured = train(build(given.base, given.method), plan, given, lr)
    settings = {"method": given.method, "lr": lr, "dropout": given.dropout, "threads": given.threads, "seed": given.seed}
    print(json.dumps({**settings, **measured, "peak_rss_bytes": peak_rss(), **around}))


if __name__ == "__main__":
    main()

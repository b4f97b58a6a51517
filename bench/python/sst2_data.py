"""SST-2 as token ids in a fixed order of batches, so that two systems can do exactly the same work.

The plan is one JSON document:
  {"train": [{"input_ids", "label"}, …], "dev": [{"input_ids", "label"}, …],
   "epochs": [[[row, …], …], …]}      one list of batches per epoch, each a list of indices into `train`
"""

import csv
import json
import random

import transformers

MEGA = 50  # batches that are sorted by length together, as transformers' group_by_length does


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def tokenize(rows, tokenizer, max_length):
    ids = tokenizer([row["sentence"].strip() for row in rows], truncation=True, max_length=max_length)["input_ids"]
    return [{"input_ids": tokens, "label": int(row["label"])} for tokens, row in zip(ids, rows)]


def grouped_batches(rows, size, order):
    """Shuffles, sorts within every MEGA batches by length, cuts into batches and shuffles those; a short one comes last."""
    indices = list(range(len(rows)))
    order.shuffle(indices)
    short = indices[len(indices) // size * size :]
    indices = indices[: len(indices) - len(short)]
    batches = []
    for first in range(0, len(indices), MEGA * size):
        part = sorted(indices[first : first + MEGA * size], key=lambda row: -len(rows[row]["input_ids"]))
        batches += [part[at : at + size] for at in range(0, len(part), size)]
    order.shuffle(batches)
    return batches + ([short] if short else [])


def make_plan(base, folder, rows, epochs, batch, max_length, seed):
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    order = random.Random(seed)
    training = read(f"{folder}/train.tsv")
    order.shuffle(training)
    train = tokenize(training[:rows], tokenizer, max_length)
    dev = tokenize(read(f"{folder}/dev.tsv"), tokenizer, max_length)
    return {"train": train, "dev": dev, "epochs": [grouped_batches(train, batch, order) for _ in range(epochs)]}


def load_plan(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)

"""64 random pre-tokenised rows per task, of 3 to 20 tokens, with labels that follow from the tokens."""

import json

import torch

from tiny import VOCABULARY, word_ids

ROWS = 64
MASK = 4  # the id that stands for a hidden word
IGNORED = -100


def rows(task):
    """The rows of a task, as petl's pre-tokenised JSONL has them."""
    generator = torch.Generator().manual_seed(4000)
    lengths = torch.randint(3, 21, (ROWS,), generator=generator).tolist()
    return [labelled(task, word_ids(length, generator), index) for index, length in enumerate(lengths)]


def labelled(task, ids, index):
    mean = sum(ids) / len(ids)
    if task == "classification":  # is the mean id low, middle or high?
        return {"input_ids": ids, "label": 0 if mean < 45 else 1 if mean < 55 else 2}
    if task == "regression":
        return {"input_ids": ids, "label": round(4 * mean / VOCABULARY - 2, 3)}
    if task == "token-classification":  # the first token has no label
        return {"input_ids": ids, "labels": [IGNORED] + [token % 5 for token in ids[1:]]}
    if task == "causal-lm":  # a prompt of two tokens has no labels
        return {"input_ids": ids, "labels": [IGNORED] * 2 + ids[2:]}
    if task == "causal-lm-whole":  # the first token is learnt where a prompt stands in front of it
        return {"input_ids": ids, "labels": ids}
    hidden = {position for position in range(len(ids)) if (position + index) % 6 == 0} or {0}
    return {
        "input_ids": [MASK if position in hidden else token for position, token in enumerate(ids)],
        "labels": [token if position in hidden else IGNORED for position, token in enumerate(ids)],
    }


def labels(batch):
    """The batch's labels as transformers takes them: one per row, or one per token with -100 at the padding."""
    if "label" in batch[0]:
        return torch.tensor([row["label"] for row in batch])
    longest = max(len(row["input_ids"]) for row in batch)
    return torch.tensor([row["labels"] + [IGNORED] * (longest - len(row["labels"])) for row in batch])


def write_rows(path, task):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(task)))

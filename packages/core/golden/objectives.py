"""What torch, transformers, scikit-learn, scipy and seqeval say of losses and of answers.

Writes objectives/losses.json: `cases` of `model`, a checkpoint of models/ with its rows, `task`, `labels` for each row (one class, a
0 or 1 for each class, a number, or a class for every token), the `options` of the loss and the mean `loss` that transformers' own
class computes with them, or torch's CrossEntropyLoss where the class takes no such options; objectives/metrics.json:
`classes`, `actual`, `logits` and what is said of them; the same for `sets` of classes and for `entities`.

    pip install "scikit-learn==1.7.2" "seqeval==1.2.2"
    python packages/core/golden/objectives.py        (after models.py)
"""

import json

import numpy as np
import torch
from scipy.stats import binomtest
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as entity_scores
from sklearn import metrics
from torch.nn import CrossEntropyLoss
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from tiny import HERE, MODELS, collate, load, own_logits, write_json

OUT = HERE / "objectives"
SETS = [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]]
CLASSES = [0, 2, 2, 1]
NUMBERS = [0.5, -1.25, 2.0, 0.0]
WEIGHTS = [0.5, 2.0, 1.25]


def rows_of(name):
    return json.loads((MODELS / name / "golden.json").read_text())["rows"]


def multi_label(name, arch):
    model = load(AutoModelForSequenceClassification, MODELS / name)
    model.config.problem_type = "multi_label_classification"
    rows = rows_of(name)
    labels = SETS[: len(rows)]
    with torch.no_grad():
        loss = model(**collate(rows, arch), labels=torch.tensor(labels, dtype=torch.float32)).loss
    return {"model": name, "task": "multi-label", "labels": labels, "options": {}, "loss": loss.item()}


def regression(name, arch):
    model = load(AutoModelForSequenceClassification, MODELS / name)
    rows = rows_of(name)
    labels = NUMBERS[: len(rows)]
    with torch.no_grad():
        loss = model(**collate(rows, arch), labels=torch.tensor(labels)).loss
    return {"model": name, "task": "regression", "labels": labels, "options": {}, "loss": loss.item()}


def weighted(name, arch, task, smoothing):
    tokens = task == "token-classification"
    model = load(AutoModelForTokenClassification if tokens else AutoModelForSequenceClassification, MODELS / name)
    rows = rows_of(name)
    weights = torch.tensor((WEIGHTS * 3)[: model.config.num_labels])
    if tokens:
        labels = [[(i * 7 + j) % model.config.num_labels if j % 3 else -100 for j in range(len(row["input_ids"]))] for i, row in enumerate(rows)]
        longest = max(map(len, labels))
        targets = torch.tensor([row + [-100] * (longest - len(row)) for row in labels])
    else:
        labels = CLASSES[: len(rows)]
        targets = torch.tensor(labels)
    with torch.no_grad():
        logits = own_logits(model, collate(rows, arch))
        loss = CrossEntropyLoss(weight=weights, label_smoothing=smoothing)(logits.flatten(0, -2), targets.flatten())
    options = {"classWeights": weights.tolist(), "labelSmoothing": smoothing}
    return {"model": name, "task": task, "labels": labels, "options": options, "loss": loss.item()}


def calibration(scores, right):
    """Ten bins (a, b] of the top score."""
    error = 0.0
    for low in np.arange(10) / 10:
        chosen = (scores > low) & (scores <= low + 0.1)
        if chosen.any():
            error += chosen.mean() * abs(right[chosen].mean() - scores[chosen].mean())
    return error


def per_class(actual, predicted, labels):
    scores = metrics.precision_recall_fscore_support(actual, predicted, labels=labels, zero_division=0)
    return [dict(zip(("precision", "recall", "f1", "support"), map(float, each))) for each in zip(*scores)]


def wilson(accuracy, count):
    interval = binomtest(round(accuracy * count), count).proportion_ci(0.95, method="wilson")
    return [interval.low, interval.high]


def classified(generator, count, classes, used):
    actual = generator.integers(0, used, count)
    logits = generator.normal(size=(count, classes)).astype(np.float32)
    logits[np.arange(count), actual] += 1.0
    logits = np.round(logits, 3)
    wide = logits.astype(np.float64)
    scores = np.exp(wide - wide.max(1, keepdims=True))
    scores /= scores.sum(1, keepdims=True)
    predicted = logits.argmax(1)
    accuracy = metrics.accuracy_score(actual, predicted)
    most = np.bincount(actual, minlength=classes)
    return {
        "classes": classes,
        "actual": actual.tolist(),
        "logits": logits.tolist(),
        "expected": {
            "accuracy": accuracy,
            "f1_macro": metrics.f1_score(actual, predicted, average="macro"),
            "matthews": metrics.matthews_corrcoef(actual, predicted),
            "accuracy_interval": wilson(accuracy, count),
            "calibration_error": calibration(scores.max(1), predicted == actual),
            "per_class": per_class(actual, predicted, range(classes)),
            "confusion": metrics.confusion_matrix(actual, predicted, labels=range(classes)).tolist(),
            "majority": {"label": int(most.argmax()), "accuracy": most.max() / count},
        },
    }


def label_sets(generator, count, classes):
    actual = generator.integers(0, 2, (count, classes))
    actual[:, -1] = 0  # a class that no row has
    logits = np.round(generator.normal(size=(count, classes)) + (actual - 0.5), 3)
    predicted = (logits > 0).astype(int)
    accuracy = metrics.accuracy_score(actual, predicted)
    return {
        "classes": classes,
        "actual": actual.tolist(),
        "logits": logits.tolist(),
        "expected": {
            "accuracy": accuracy,
            "f1_micro": metrics.f1_score(actual, predicted, average="micro", zero_division=0),
            "f1_macro": metrics.f1_score(actual, predicted, average="macro", zero_division=0),
            "accuracy_interval": wilson(accuracy, count),
            "per_class": per_class(actual, predicted, range(classes)),
        },
    }


def entities(generator):
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    actual = [[names[i] for i in generator.integers(0, 5, length)] for length in (9, 4, 14, 1, 7)]
    predicted = [[name if generator.random() < 0.7 else names[generator.integers(0, 5)] for name in row] for row in actual]
    types = ["LOC", "PER"]
    together = entity_scores(actual, predicted, average="micro")
    each = zip(types, *entity_scores(actual, predicted, average=None))
    return {
        "names": names,
        "actual": actual,
        "predicted": predicted,
        "expected": {
            **dict(zip(("entity_precision", "entity_recall", "entity_f1"), map(float, together[:3]))),
            "per_entity": [dict(zip(("label", "precision", "recall", "f1", "support"), (name, *map(float, rest)))) for name, *rest in each],
        },
    }


def main():
    OUT.mkdir(exist_ok=True)
    losses = [
        multi_label("bert-sequence-classification", "bert"),
        multi_label("llama-sequence-classification", "llama"),
        *(regression(f"{arch}-regression", arch) for arch in ("bert", "distilbert")),
        *(weighted("bert-sequence-classification", "bert", "classification", smoothing) for smoothing in (0.0, 0.2)),
        *(weighted("roberta-token-classification", "roberta", "token-classification", smoothing) for smoothing in (0.0, 0.2)),
    ]
    write_json(OUT / "losses.json", {"cases": losses})
    generator = np.random.default_rng(5)
    write_json(
        OUT / "metrics.json",
        {
            "classes": [classified(generator, 40, 4, 3), classified(generator, 25, 2, 2)],
            "sets": [label_sets(generator, 30, 4)],
            "entities": [entities(generator)],
        },
    )


main()

"""The runs that training.py and gradients.py repeat: each names its base, its start and its flags."""

from peft_cases import adapted, load_adapter, load_base, lora, save_adapter
from tiny import HERE, MODELS

OUT = HERE / "training"
# the flags of `petl train`, with the values that a case does not change
DEFAULTS = {
    "task": "classification",
    "steps": 30,
    "batch": 8,
    "accumulate": 1,
    "no-shuffle": True,
    "lr": 5e-3,
    "schedule": "linear",
    "warmup": 3,
    "optimizer": "adamw",
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "weight-decay": 0.01,
    "clip": 1.0,
    "dropout": 0,
}
BERT = "bert-sequence-classification"


def case(base, init=None, rows=None, **flags):
    """`init`: the adapter's folder under golden/, or None to start from the base's own weights; `rows`: the task's, or others."""
    flags = {**DEFAULTS, **flags}
    return {"base": base, "init": init, "flags": flags, "data": f"training/data/{rows or flags['task']}.jsonl"}


CASES = {
    "bert-lora": case(BERT, "adapters/bert-lora", method="lora"),
    "bert-dora": case(BERT, "adapters/bert-dora", method="dora"),
    "bert-ia3": case(BERT, "adapters/bert-ia3", method="ia3", lr=1e-2),
    "bert-full": case(BERT, method="full", lr=1e-3),
    "bert-bitfit": case(BERT, method="bitfit", lr=1e-2),
    "bert-top-layers": case(BERT, method="top-layers", count=1, lr=2e-3),
    "bert-head": case(BERT, method="head", lr=2e-2),
    "bert-prefix": case(BERT, "adapters/bert-prefix", method="prefix", lr=2e-2),
    "bert-lora-sgd": case(BERT, "adapters/bert-lora", method="lora", optimizer="sgd", lr=0.1),
    "bert-lora-cosine": case(BERT, "adapters/bert-lora", method="lora", schedule="cosine"),
    "bert-lora-accumulate": case(BERT, "adapters/bert-lora", method="lora", batch=4, accumulate=2),
    "bert-lora-regression": case("bert-regression", "training/bert-lora-regression", method="lora", task="regression"),
    "bert-lora-masked-lm": case("bert-masked-lm", "training/bert-lora-masked-lm", method="lora", task="masked-lm"),
    "distilbert-dora": case("distilbert-sequence-classification", "adapters/distilbert-dora", method="dora"),
    "roberta-ia3": case("roberta-sequence-classification", "adapters/roberta-ia3", method="ia3", lr=1e-2),
    "roberta-lora-token-classification": case(
        "roberta-token-classification", "adapters/roberta-token-lora", method="lora", task="token-classification"
    ),
    "llama-lora-causal-lm": case("llama-causal-lm", "adapters/llama-lora", method="lora", task="causal-lm"),
    "llama-prompt-causal-lm": case(
        "llama-causal-lm", "adapters/llama-prompt", rows="causal-lm-whole", method="prompt", task="causal-lm"
    ),
}
# the starts that adapters.py has not made
NEW_ADAPTERS = ("bert-lora-regression", "bert-lora-masked-lm")


def write_new_adapters():
    for seed, name in enumerate(NEW_ADAPTERS):
        base = CASES[name]["base"]
        save_adapter(adapted(base, lora(base), seed + 5000, MODELS), OUT / name)


def is_trained(name, method, layers):
    """Which of the base's own parameters a method without adapter tensors trains; the pooler is the base's."""
    if method == "full" or name.startswith("classifier."):
        return True
    if method == "bitfit":
        return name.endswith(".bias")
    return method == "top-layers" and f"encoder.layer.{layers - 1}." in name


def start(settings):
    """The model at step 0, with requires_grad set on exactly what the method trains, in evaluation mode."""
    if settings["init"]:
        return load_adapter(settings["base"], HERE / settings["init"], MODELS, is_trainable=True)
    model = load_base(settings["base"], MODELS)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = is_trained(name, settings["flags"]["method"], model.config.num_hidden_layers)
    return model


def trained(model):
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}

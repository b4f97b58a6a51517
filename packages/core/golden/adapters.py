"""Golden outputs of Hugging Face PEFT's adapters on the tiny models of models.py.

Writes adapters/<arch>-<case>/: adapter_config.json and adapter_model.safetensors as PEFT's save_pretrained
writes them, and golden.json with
  `base`           the folder under models/ whose golden.json holds the input rows
  `logits`         of the adapter as PEFT reads it back from these files
  `base_logits`    of the base alone (checked here: PEFT's own disable_adapter gives the same)
  `merged_logits`  of merge_and_unload, where PEFT can merge; in the cases listed in MERGED merged.safetensors holds
                   every tensor that merging changed, by its plain name (the adapter's head included)
What PEFT itself refuses is listed in adapters/refused.json with its message.

    python packages/core/golden/adapters.py
"""

import json
import shutil

import torch

from peft_cases import (
    EMBEDDING,
    ENCODERS,
    LINEAR,
    adapted,
    arch_of,
    ia3,
    load_adapter,
    load_base,
    lora,
    prefix,
    prompt,
    save_adapter,
    save_changed,
)
from tiny import HERE, MODELS, logits, write_json

OUT = HERE / "adapters"
# layer, submodule, linear layer, exactly: PEFT matches a string against the whole module path
REGEX = {
    "bert": r".*\.layer\.[12]\.(attention\.self\.key|output\.dense)",
    "roberta": r".*\.layer\.1\.(attention\.self\.key|output\.dense)",
    "distilbert": r".*\.layer\.1\.(attention\.k_lin|ffn\.lin2)",
}


SAVED = {
    "bert": ["pooler", "classifier"],
    "roberta": ["classifier"],
    "distilbert": ["pre_classifier", "classifier"],
}
MERGED = {"lora", "lora-patterns", "lora-embedding", "lora-bias-all", "token-lora"}
MERGED |= {"dora", "ia3", "ia3-feedforward", "vera", "loha", "lokr"}


def sequence_cases(arch):
    """case name -> PEFT config, on <arch>-sequence-classification."""
    base = f"{arch}-sequence-classification"
    names = LINEAR[arch]
    last = 2 if arch == "bert" else 1
    value = "attention.self.value" if arch != "distilbert" else "attention.v_lin"
    return {
        "lora": lora(base),
        "lora-all-linear": all_linear(base),
        "lora-regex": lora(base, target_modules=REGEX[arch]),
        "lora-patterns": lora(
            base,
            roles="qkv",
            rank_pattern={names["q"]: 2, f"layer.0.{value}": 6},
            # the first pattern that matches wins, and PEFT saves its patterns sorted: both orders must agree
            alpha_pattern={f"layer.{last}.*": 20, names["v"]: 3},
        ),
        "lora-rslora": lora(base, use_rslora=True),
        "lora-layers": lora(base, layers_to_transform=[0, 2] if arch == "bert" else [1]),
        "lora-exclude": lora(base, exclude_modules=rf".*layer\.0.*{names['v']}"),
        "lora-bias-all": lora(base, bias="all"),
        "lora-bias-only": lora(base, bias="lora_only"),
        "lora-base-head": lora(base, task_type=None),
        "lora-saved-modules": lora(base, task_type=None, modules_to_save=SAVED[arch]),
        "lora-embedding": lora(base, target_modules=[EMBEDDING, names["q"]]),
        "lora-dropout": lora(base, lora_dropout=0.5),
        "dora": lora(base, roles=["q", "v", "up"], use_dora=True),
        "ia3": ia3(base),
        "ia3-feedforward": ia3(base, roles=("q", "up", "down"), feedforward=("up",)),
        "prefix": prefix(base),
        "prompt": prompt(base),
    }


def all_linear(base):
    """DistilBERT's pre_classifier is a target and, ending in "classifier", a saved module too, which PEFT refuses."""
    excluded = ["pre_classifier"] if base.startswith("distilbert") else None
    return lora(base, target_modules="all-linear", exclude_modules=excluded, r=2)


def token_cases(arch):
    """case name -> PEFT config, on <arch>-token-classification."""
    base = f"{arch}-token-classification"
    return {
        "token-lora": lora(base),
        "token-dora": lora(base, use_dora=True),
        "token-ia3": ia3(base),
        "token-prefix": prefix(base),
    }


def write_case(base, config, folder, seed):
    """Writes one folder; returns what PEFT refuses to do with this adapter, or None."""
    rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
    arch = arch_of(base)
    original = load_base(base, MODELS)
    fresh = adapted(base, config, seed, MODELS)
    base_logits = logits(original, rows, arch)
    in_memory = logits(fresh, rows, arch)
    save_adapter(fresh, folder)
    model = load_adapter(base, folder, MODELS)
    with_adapter = logits(model, rows, arch)
    assert_close(in_memory, with_adapter, "reloaded differs from saved")
    # a trained bias stays when PEFT disables the adapter; with prompt learning disable_adapter fails on encoders
    if not config.is_prompt_learning and getattr(config, "bias", "none") == "none":
        with model.disable_adapter():
            assert_close(logits(model, rows, arch), base_logits, "disabled differs from the base")
    document = {"base": base, "logits": with_adapter, "base_logits": base_logits}
    refusal = None if config.is_prompt_learning else add_merged(document, model, original, rows, folder)
    write_json(folder / "golden.json", document)
    change = max((a - b).abs().max().item() for a, b in zip(with_adapter, base_logits))
    print(f"{folder.name}: largest change of a logit {change:.3f}")
    return refusal


def add_merged(document, model, original, rows, folder):
    """Adds the merged model's logits and changed tensors; returns PEFT's refusal, or None."""
    try:
        merged = model.merge_and_unload()
    except AttributeError as problem:  # IA3 cannot unload a head that is more than one layer
        return f"merge_and_unload: {describe(problem)}"
    document["merged_logits"] = logits(merged, rows, arch_of(document["base"]))
    assert_close(document["merged_logits"], document["logits"], "merged differs from unmerged")
    if folder.name.split("-", 1)[1] in MERGED:
        save_changed(merged, original, folder / "merged.safetensors")
    return None


def describe(problem):
    return f"{type(problem).__name__}: {str(problem).strip().splitlines()[0]}"


def assert_close(actual, expected, message):
    for one, other in zip(actual, expected):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=2e-5, msg=lambda text: f"{message}: {text}")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    cases = {
        f"{arch}-{name}": (f"{arch}-{head}", config)
        for arch in ENCODERS
        for head, listed in (("sequence-classification", sequence_cases), ("token-classification", token_cases))
        for name, config in listed(arch).items()
    }
    refused = {}
    for seed, (name, (base, config)) in enumerate(cases.items()):
        torch.manual_seed(seed)
        try:
            refusal = write_case(base, config, OUT / name, seed + 2000)
        except (ValueError, TypeError) as problem:
            refusal = describe(problem)
        if refusal:
            refused[name] = refusal
            print(f"{name}: {refusal}")
    write_json(OUT / "refused.json", refused)


if __name__ == "__main__":
    main()

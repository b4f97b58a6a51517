"""Golden numbers of PEFT's starts of LoRA that take A and B from the weight itself: PiSSA and OLoRA.

Writes starts/<arch>-<case>/
  start.safetensors    A and B as PEFT starts them, by PEFT's keys; only B A is determined, not the factors' signs
  trained.safetensors  A and B moved away from there
  golden.json          `base`, `options` (petl's), and `logits` with the trained factors on PEFT's residual weight
and adapters/<arch>-<case>/, which existing tests read: the same adapter as PEFT's save_pretrained converts it to plain
LoRA of twice the rank, for the base as it is.

    python packages/core/golden/starts.py        (after models.py, adapters.py and decoders.py)
"""

import json
import shutil
import tempfile
from pathlib import Path

import peft
import torch
from safetensors.torch import save_file

from adapters import OUT as ADAPTERS
from adapters import assert_close
from peft_cases import arch_of, load_adapter, load_base, lora, save_adapter
from tiny import HERE, MODELS, draw, logits, write_json

OUT = HERE / "starts"


def cases():
    """
    folder -> (the base, PEFT's fields, petl's options). PEFT cannot start OLoRA on GPT-2's transposed weights, and what
    it converts loses a trained head, so that none is trained here.
    """
    return {
        "bert-pissa": start("bert-sequence-classification", "pissa"),
        "bert-olora": start("bert-sequence-classification", "olora"),
        "bert-pissa-rslora": start("bert-sequence-classification", "pissa", use_rslora=True),
        "gpt2-pissa": start("gpt2-causal-lm", "pissa"),
        "llama-pissa": start("llama-causal-lm", "pissa"),
        "llama-olora": start("llama-causal-lm", "olora"),
    }


def start(base, name, **more):
    options = {"rank": 4, "alpha": 8, "initWeights": name, "rankStabilized": more.get("use_rslora", False)}
    return base, lora(base, init_lora_weights=name, task_type=None, **more), options


def write_case(base, config, options, name, seed):
    folder = OUT / name
    rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
    arch = arch_of(base)
    base_logits = logits(load_base(base, MODELS), rows, arch)
    model = peft.get_peft_model(load_base(base, MODELS), config).eval()
    model.peft_config["default"].base_model_name_or_path = base
    assert_close(logits(model, rows, arch), base_logits, "does not start as the base")
    folder.mkdir(parents=True)
    save_file(factors(model), folder / "start.safetensors")
    with tempfile.TemporaryDirectory() as initial:
        model.peft_config["default"].init_lora_weights = True
        model.save_pretrained(initial)
        model.peft_config["default"].init_lora_weights = config.init_lora_weights
        move(model, seed)
        save_file(factors(model), folder / "trained.safetensors")
        trained = logits(model, rows, arch)
        converted = ADAPTERS / name
        save_adapter(model, converted, path_initial_model_for_weight_conversion=initial)
    write_json(folder / "golden.json", dict(base=base, options=options, logits=trained))
    reloaded = logits(load_adapter(base, converted, MODELS), rows, arch)
    assert_close(reloaded, trained, "the converted adapter differs")
    write_json(converted / "golden.json", dict(base=base, logits=reloaded, base_logits=base_logits))
    change = max((a - b).abs().max().item() for a, b in zip(trained, base_logits))
    print(f"{name}: largest change of a logit {change:.3f}")


def factors(model):
    state = peft.get_peft_model_state_dict(model)
    return {key: tensor.clone().contiguous() for key, tensor in state.items() if "lora_" in key}


def move(model, seed):
    """Every factor away from its start."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            change = torch.empty_like(parameter)
            draw(change, generator, 0.3)
            parameter.data.add_(change)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (name, (base, config, options)) in enumerate(cases().items()):
        torch.manual_seed(seed)
        write_case(base, config, options, name, 9000 + seed)


if __name__ == "__main__":
    main()

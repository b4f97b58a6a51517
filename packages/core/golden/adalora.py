"""Golden numbers of PEFT's AdaLoRA: adapters as it writes them, and a run in which it takes ranks away.

Writes training/bert-adalora-classification/ (the first adapter) and training/bert-adalora-classification.json: the keys
of training.py's files, but that `loss` has PEFT's regulariser in it, `schedule` are petl's options, and `ranks` say after
each step how many triplets of each layer, in the order of `layers`, are left.
Writes adapters/bert-adalora/ (that run's end, ranks of their own) and adapters/gpt2-adalora/ (whole ranks) with the files
of adapters.py.

    python packages/core/golden/adalora.py        (after models.py, adapters.py, decoders.py and training.py)
"""

import json

import peft
import torch
from transformers import get_linear_schedule_with_warmup

from adapters import OUT as ADAPTERS
from adapters import add_merged, assert_close
from adapters import write_case as write_adapter
from peft_cases import LINEAR, TASKS, arch_of, head_of, load_adapter, load_base, orientation, save_adapter
from tiny import MODELS, logits, write_json
from training import backward, batches, optimizer_of
from training_cases import BERT, DEFAULTS, OUT
from training_data import rows

NAME = "bert-adalora-classification"
STEPS = 30
OPTIONS = dict(initialRank=6, rank=3, alpha=8, beginSteps=4, finalSteps=6, allocateEvery=3, orthogonality=0.5)


def adalora(base):
    names = LINEAR[arch_of(base)]
    return peft.AdaLoraConfig(
        init_r=OPTIONS["initialRank"],
        target_r=OPTIONS["rank"],
        lora_alpha=OPTIONS["alpha"],
        tinit=OPTIONS["beginSteps"],
        tfinal=OPTIONS["finalSteps"],
        deltaT=OPTIONS["allocateEvery"],
        orth_reg_weight=OPTIONS["orthogonality"],
        total_step=STEPS,
        target_modules=sorted({names["q"], names["v"]}),
        task_type=TASKS[head_of(base)],
        **orientation(base),
    )


def run(model, flags):
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(parameters, flags)
    schedule = get_linear_schedule_with_warmup(optimizer, flags["warmup"], STEPS)
    stream = batches(rows("classification"), flags["batch"])
    values = {name: p for name, p in model.named_parameters() if "lora_E" in name}
    record = {"trained_parameters": sum(p.numel() for p in parameters), "loss": [], "grad_norm": [], "lr": [], "ranks": []}
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        record["loss"].append(backward(model, [next(stream)], "bert"))
        record["grad_norm"].append(torch.nn.utils.clip_grad_norm_(parameters, flags["clip"]).item())
        record["lr"].append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        model.base_model.update_and_allocate(step)
        record["ranks"].append([int((value != 0).sum()) for value in values.values()])
    layers = [name.removeprefix("base_model.model.").removesuffix(".lora_E.default") for name in values]
    return {"layers": layers, **record}


def write_run():
    flags = {**DEFAULTS, "method": "adalora", "lr": 2e-2, "weight-decay": 0}
    model = peft.get_peft_model(load_base(BERT, MODELS), adalora(BERT)).eval()
    model.peft_config["default"].base_model_name_or_path = BERT
    save_adapter(model, OUT / NAME)
    record = run(model, flags)
    golden_rows = json.loads((MODELS / BERT / "golden.json").read_text())["rows"]
    record["logits"] = logits(model, golden_rows, "bert")
    start = {"base": BERT, "init": f"training/{NAME}", "flags": flags, "schedule": OPTIONS}
    write_json(OUT / f"{NAME}.json", {**start, "data": "training/data/classification.jsonl", **record})
    print(f"{NAME}: loss {record['loss'][0]:.3f} -> {record['loss'][-1]:.3f}, ranks {record['ranks'][-1]}")
    folder = ADAPTERS / "bert-adalora"
    save_adapter(model, folder)
    reloaded = load_adapter(BERT, folder, MODELS)
    with_adapter = logits(reloaded, golden_rows, "bert")
    assert_close(with_adapter, record["logits"], "reloaded differs from saved")
    base = load_base(BERT, MODELS)
    document = {"base": BERT, "logits": with_adapter, "base_logits": logits(base, golden_rows, "bert")}
    add_merged(document, reloaded, base, golden_rows, folder)
    write_json(folder / "golden.json", document)


def main():
    torch.manual_seed(0)
    write_run()
    write_adapter("gpt2-causal-lm", adalora("gpt2-causal-lm"), ADAPTERS / "gpt2-adalora", 9100)


if __name__ == "__main__":
    main()

"""Adapters of the LoRA authors' own library with their logits, on the tiny checkpoints of models.py.

Writes loralib/<case>/adapter.bin, what loralib.lora_state_dict gives, with the head where there is one, as torch saves it, and
golden.json (`base`, `alpha`, `logits`).

    python packages/core/golden/loralib_adapters.py  # loralib==0.1.2
"""

import json
import shutil

import loralib
import torch

from loralib_models import with_loralib
from peft_cases import arch_of
from tiny import HERE, MODELS, draw, logits, write_json

OUT = HERE / "loralib"
ALPHA = 6
QUERIES_VALUES = {
    f"bert.encoder.layer.{layer}.attention.self.{name}": 4 for layer in range(3) for name in ("query", "value")
}
GPT2 = "transformer.h.{}.{}".format
# base, layers, which biases are saved, and the head
CASES = {
    "bert": ("bert-sequence-classification", QUERIES_VALUES, "none", "classifier."),
    "bert-lora-only": ("bert-sequence-classification", QUERIES_VALUES, "lora_only", "classifier."),
    "bert-bias-all": ("bert-sequence-classification", QUERIES_VALUES, "all", "classifier."),
    "gpt2-queries-values": (
        "gpt2-causal-lm",
        {GPT2(layer, "attn.c_attn"): (4, [True, False, True]) for layer in range(2)},
        "none",
        None,
    ),
    "gpt2-fused": (
        "gpt2-causal-lm",
        {GPT2(0, "attn.c_attn"): (2, [True, True, True]), GPT2(1, "mlp.c_fc"): 4, GPT2(1, "mlp.c_proj"): 4},
        "none",
        None,
    ),
}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (case, (base, layers, bias, head)) in enumerate(CASES.items()):
        model = with_loralib(base, layers, ALPHA)
        kept = [name for name in model.state_dict() if head and name.startswith(head)]
        names = [*loralib.lora_state_dict(model, bias), *kept]
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in model.named_parameters():
            if name in names:
                draw(parameter, generator, 0.3)
        state = {**loralib.lora_state_dict(model, bias), **{name: model.state_dict()[name] for name in kept}}
        (OUT / case).mkdir(parents=True)
        torch.save(state, OUT / case / "adapter.bin")
        rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
        golden = dict(base=base, alpha=ALPHA, logits=logits(model.eval(), rows, arch_of(base)))
        write_json(OUT / case / "golden.json", golden)
        print(case, len(state))


if __name__ == "__main__":
    main()

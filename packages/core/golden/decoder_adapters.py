"""Golden outputs of Hugging Face PEFT's adapters on the decoders of decoders.py; the files are those of adapters.py.

    python packages/core/golden/decoder_adapters.py        (after decoders.py and adapters.py)
"""

import torch

from adapters import OUT, write_case
from decoders import CLASSES, WHOLE
from peft_cases import LINEAR, ia3, lora, prefix


def cases(arch):
    """case name -> (the base, PEFT config); PEFT has no prefix tuning for Llama's text classifiers."""
    language, text = f"{arch}-causal-lm", f"{arch}-sequence-classification"
    names = LINEAR[arch]
    if arch not in WHOLE:
        return {"lora": (language, lora(language, target_modules=sorted({names["q"], names["v"], names["down"]})))}
    return {
        "lora": (language, lora(language)),
        "lora-all-linear": (language, lora(language, target_modules="all-linear", r=2)),
        "dora": (language, lora(language, roles=["q", "v", "up"], use_dora=True)),
        "ia3": (language, ia3(language)),
        "ia3-feedforward": (language, ia3(language, roles=("q", "up", "down"), feedforward=("up",))),
        "prefix": (language, prefix(language)),
        "text-lora": (text, lora(text, target_modules=[names["q"], names["down"]])),
        "text-ia3": (text, ia3(text)),
    }


def main():
    for seed, arch in enumerate(CLASSES):
        for case, (name, (base, config)) in enumerate(cases(arch).items()):
            torch.manual_seed(case)
            refusal = write_case(base, config, OUT / f"{arch}-{name}", 8000 + 100 * seed + case)
            if refusal:
                print(f"{arch}-{name}: {refusal}")


if __name__ == "__main__":
    main()

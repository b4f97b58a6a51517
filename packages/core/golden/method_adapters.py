"""Golden outputs of PEFT's methods beyond LoRA, (IA)3 and prefix tuning; the files are those of adapters.py.

    python packages/core/golden/method_adapters.py        (after decoder_adapters.py)
"""

import torch

from adapters import OUT, write_case
from peft_cases import vera

SEQUENCE, TOKEN, LANGUAGE = "sequence-classification", "token-classification", "causal-lm"
# case name -> (config maker, bases, the config's other fields); a case's seed is its place in the list
CASES = [
    ("vera", vera, [f"bert-{SEQUENCE}", f"roberta-{SEQUENCE}", f"llama-{LANGUAGE}", f"gpt2-{LANGUAGE}"], {}),
    ("vera-layers", vera, [f"distilbert-{SEQUENCE}"], dict(roles=["q", "down"], layers_to_transform=[1])),
]


def main():
    seed = 20000
    for name, make, bases, more in CASES:
        for base in bases:
            seed += 1
            torch.manual_seed(seed)
            folder = OUT / f"{base.split('-', 1)[0]}-{name}"
            refusal = write_case(base, make(base, **more), folder, seed)
            if refusal:
                print(f"{folder.name}: {refusal}")


if __name__ == "__main__":
    main()

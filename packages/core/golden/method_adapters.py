"""Golden outputs of PEFT's methods beyond LoRA, (IA)3 and prefix tuning; the files are those of adapters.py.

    python packages/core/golden/method_adapters.py        (after decoder_adapters.py)
"""

import torch

from adapters import OUT, write_case
from peft_cases import adaption, loha, lokr, lora, prefix, prompt, vera

SEQUENCE, TOKEN, LANGUAGE = "sequence-classification", "token-classification", "causal-lm"
# case name -> (config maker, bases, the config's other fields); a case's seed is its place in the list
CASES = [
    ("vera", vera, [f"bert-{SEQUENCE}", f"roberta-{SEQUENCE}", f"llama-{LANGUAGE}", f"gpt2-{LANGUAGE}"], {}),
    ("vera-layers", vera, [f"distilbert-{SEQUENCE}"], dict(roles=["q", "down"], layers_to_transform=[1])),
    ("prompt", prompt, [f"llama-{LANGUAGE}", f"gpt2-{LANGUAGE}"], {}),
    ("token-prompt", prompt, [f"bert-{TOKEN}", f"roberta-{TOKEN}"], {}),
    ("loha", loha, [f"bert-{SEQUENCE}", f"llama-{LANGUAGE}"], {}),
    ("loha-patterns", loha, [f"distilbert-{SEQUENCE}"], dict(rank_pattern={"q_lin": 2}, alpha_pattern={"v_lin": 9})),
    ("lokr", lokr, [f"bert-{SEQUENCE}", f"llama-{LANGUAGE}"], dict(roles=["q", "v", "up"])),
    ("lokr-full", lokr, [f"distilbert-{SEQUENCE}"], dict(r=8)),
    ("lokr-both", lokr, [f"roberta-{SEQUENCE}"], dict(r=1, decompose_both=True, decompose_factor=6)),
    ("llama-adapter", adaption, [f"llama-{LANGUAGE}", f"mistral-{LANGUAGE}"], {}),
    ("llama-adapter-all", adaption, [f"llama-{LANGUAGE}"], dict(adapter_layers=2)),
    # windows that a prefix leaves, embeddings that Gemma multiplies, biases beside VeRA, and none where a base has none
    ("prefix", prefix, [f"mistral-{LANGUAGE}", f"gemma3_text-{LANGUAGE}"], {}),
    ("prompt", prompt, [f"gemma2-{LANGUAGE}", f"gemma3_text-{LANGUAGE}"], {}),
    ("vera-bias", vera, [f"bert-{SEQUENCE}"], dict(bias="vera_only")),
    ("lora-bias-all", lora, [f"mistral-{LANGUAGE}"], dict(bias="all")),
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

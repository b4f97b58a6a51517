"""Golden outputs of Hugging Face PEFT's LN tuning, and of LoRA on tables and output layers; the files are those of adapters.py.

    python packages/core/golden/ln_tuning.py        (after models.py and decoders.py)
"""

import peft
import torch

from adapters import OUT, write_case
from peft_cases import TASKS, head_of, lora


def norms(base, *targets):
    return peft.LNTuningConfig(target_modules=list(targets), task_type=TASKS[head_of(base)])


def main():
    llama, tied = "llama-causal-lm", "llama-causal-lm-tied"
    bert, gpt2 = "bert-sequence-classification", "gpt2-causal-lm"
    cases = {
        "llama-ln-tuning": (llama, norms(llama, "input_layernorm", "post_attention_layernorm", "norm")),
        "bert-ln-tuning": (bert, norms(bert, "LayerNorm")),
        "gpt2-ln-tuning": (gpt2, norms(gpt2, "ln_1", "ln_2", "ln_f")),
        "bert-lora-positions": (bert, lora(bert, target_modules=["query", "position_embeddings"])),
        "llama-lora-output": (llama, lora(llama, target_modules=["q_proj", "lm_head"])),
        "gpt2-lora-positions": (gpt2, lora(gpt2, target_modules=["c_attn", "wpe"])),
    }
    for seed, (name, (base, config)) in enumerate(cases.items()):
        torch.manual_seed(seed)
        refusal = write_case(base, config, OUT / name, 9500 + seed)
        print(name, refusal or "")


if __name__ == "__main__":
    main()

"""Golden continuations of transformers' and PEFT's generate, and the distributions of its logits processors.

Writes generation/<case>.json: `base`, `adapter` (or null), `flags` as `petl generate` names them, `prompts` of several
lengths, and `ids`, the new tokens of each: greedy, all prompts in one batch padded on the left (checked here: the same
as one by one). generation/sampling.json holds logits, the tokens that are there already, and the probabilities that the
processors leave, per setting.

    python packages/core/golden/generation.py        (after decoders.py, decoder_adapters.py and method_adapters.py)
"""

import shutil

import torch
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from decoders import CLASSES, WHOLE
from peft_cases import load_adapter, load_base
from tiny import HERE, MODELS, word_ids, write_json

OUT = HERE / "generation"
LENGTHS = (1, 4, 9)
SETTINGS = (
    {"temperature": 0.5},
    {"top-k": 5},
    {"top-p": 0.6},
    {"repetition-penalty": 1.7, "temperature": 1.0},
    {"repetition-penalty": 0.8, "temperature": 1.3, "top-k": 12, "top-p": 0.8},
)


def cases():
    for arch in CLASSES:
        base = f"{arch}-causal-lm"
        yield f"{arch}", base, None, {"max-tokens": 24}
        if arch in WHOLE:
            yield f"{arch}-repetition", base, None, {"max-tokens": 24, "repetition-penalty": 1.5}
        for adapter in ("lora", "prefix"):
            if (HERE / "adapters" / f"{arch}-{adapter}").exists():
                yield f"{arch}-{adapter}", base, f"adapters/{arch}-{adapter}", {"max-tokens": 24}
    for arch in WHOLE:
        yield f"{arch}-prompt", f"{arch}-causal-lm", f"adapters/{arch}-prompt", {"max-tokens": 24}


def continuation(model, prompts, flags):
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    settings = dict(max_new_tokens=flags["max-tokens"], do_sample=False, eos_token_id=None, pad_token_id=0)
    if "repetition-penalty" in flags:
        settings["repetition_penalty"] = flags["repetition-penalty"]
    return model.generate(input_ids=ids, attention_mask=mask, **settings)[:, longest:].tolist()


def by_forward(model, prompts, flags):
    """PEFT's generate counts positions behind virtual tokens in another way than its forward, with which adapters are trained."""
    rows = [list(prompt) for prompt in prompts]
    with torch.no_grad():
        for row in rows:
            for _ in range(flags["max-tokens"]):
                ids = torch.tensor([row])
                row.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1].argmax().item())
    return [row[len(prompt) :] for row, prompt in zip(rows, prompts)]


def write_case(name, base, adapter, flags, seed):
    generator = torch.Generator().manual_seed(seed)
    prompts = [word_ids(length, generator) for length in LENGTHS]
    model = load_adapter(base, HERE / adapter, MODELS) if adapter else load_base(base, MODELS)
    prefixed = adapter is not None and adapter.endswith(("-prefix", "-prompt"))
    alone = (
        by_forward(model, prompts, flags)
        if prefixed
        else [continuation(model, [prompt], flags)[0] for prompt in prompts]
    )
    # for the repetition penalty a padding token is one that is there already
    if "repetition-penalty" not in flags and not prefixed:
        assert continuation(model, prompts, flags) == alone, name
    write_json(OUT / f"{name}.json", {"base": base, "adapter": adapter, "flags": flags, "prompts": prompts, "ids": alone})
    print(name, alone[0][:8])


def processors(flags):
    """In the order in which transformers applies them."""
    found = LogitsProcessorList()
    if "repetition-penalty" in flags:
        found.append(RepetitionPenaltyLogitsProcessor(flags["repetition-penalty"]))
    if "temperature" in flags:
        found.append(TemperatureLogitsWarper(flags["temperature"]))
    if "top-k" in flags:
        found.append(TopKLogitsWarper(flags["top-k"]))
    if "top-p" in flags:
        found.append(TopPLogitsWarper(flags["top-p"]))
    return found


def write_sampling():
    generator = torch.Generator().manual_seed(9000)
    logits = 2 * torch.randn(40, generator=generator)
    seen = torch.randint(0, 40, (6,), generator=generator).tolist()
    probabilities = [
        torch.softmax(processors(flags)(torch.tensor([seen]), logits[None].clone()), -1)[0] for flags in SETTINGS
    ]
    write_json(OUT / "sampling.json", {"logits": logits, "seen": seen, "settings": list(SETTINGS), "probabilities": probabilities})


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, case in enumerate(cases()):
        write_case(*case, seed + 9100)
    write_sampling()


if __name__ == "__main__":
    main()

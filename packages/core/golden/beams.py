"""Golden texts of transformers' beam search.

Writes beams/<case>.json: `base`, `adapter` (or null), `settings` as `petl generate` names its flags, `endings`, the
tokens that end a text, `prompts` of several lengths, and per prompt `ids`, the new tokens, one by one (checked here: the
same in one batch padded on the left, where no repetition is looked for, since padding would count). The bases are
tiny random ones of models/, and the trained tinystories-656k-llama where ../shared/data is there.

    python packages/core/golden/beams.py        (after decoders.py and decoder_adapters.py)
"""

import shutil

import torch
from transformers import (
    AutoModelForCausalLM,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from generation import LENGTHS
from peft_cases import load_adapter, load_base
from tiny import HERE, MODELS, word_ids, write_json

OUT = HERE / "beams"
STORIES = HERE.parents[3] / "shared" / "data" / "checkpoints" / "tinystories-656k-llama"
BEGINNINGS = ([1], [1, 147, 201, 282, 215], [1, 147, 201, 282, 215, 286, 598, 1662, 356, 499])
PAPER = {"beams": 10, "length-penalty": 0.9, "no-repeat-ngram-size": 4}  # Hu et al. 2021, table 11: E2E
# most tokens of a small vocabulary end a text, so that texts of all lengths are found
ENDINGS = list(range(5, 96, 3))
CASES = (
    ("gpt2", None, {"beams": 4}, ENDINGS),
    ("llama", None, {"beams": 3, "early-stopping": True, "length-penalty": 2.0}, ENDINGS),
    ("llama", "lora", {"beams": 3, "early-stopping": "never", "length-penalty": 0.5}, ENDINGS),
    ("gemma2", None, {"beams": 5, "length-penalty": -1.0}, ENDINGS[::2]),
    ("qwen3", "lora", {"beams": 2, "repetition-penalty": 1.4, "early-stopping": "never"}, ENDINGS[::3]),
    ("phi3", None, PAPER, ENDINGS[::4]),
    ("mistral", None, PAPER, [2]),
    ("phi3", None, {**PAPER, "no-repeat-ngram-size": 1, "repetition-ignores-prompt": True}, ENDINGS[::4]),
    ("qwen3", "lora", {"beams": 2, "repetition-penalty": 1.4, "repetition-ignores-prompt": True}, [2]),
)


def repetition(settings, length):
    """What looks for repetition: in all of a text, or behind a prompt of some length, which only the penalty can by itself."""
    penalty = settings.get("repetition-penalty", 1.0)
    size = settings.get("no-repeat-ngram-size", 0)
    if "repetition-ignores-prompt" not in settings:
        return {"repetition_penalty": penalty, "no_repeat_ngram_size": size}
    processors = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=length)])
    if size:
        without = NoRepeatNGramLogitsProcessor(size)
        processors.append(lambda ids, scores: without(ids[:, length:], scores))
    return {"logits_processor": processors}


def searched(model, prompts, settings, endings, tokens):
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    rows = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=tokens,
        do_sample=False,
        eos_token_id=endings or None,
        pad_token_id=0,
        num_beams=settings["beams"],
        length_penalty=settings.get("length-penalty", 1.0),
        early_stopping=settings.get("early-stopping", False),
        **repetition(settings, longest),
    )[:, longest:].tolist()
    return [until_end(row, endings) for row in rows]


def until_end(row, endings):
    """Shorter texts of a batch are padded behind their end."""
    length = next((at + 1 for at, token in enumerate(row) if token in endings), len(row))
    return row[:length]


def write_case(name, model, base, adapter, settings, endings, prompts, tokens):
    alone = [searched(model, [prompt], settings, endings, tokens)[0] for prompt in prompts]
    if not {"repetition-penalty", "no-repeat-ngram-size"} & settings.keys():
        assert searched(model, prompts, settings, endings, tokens) == alone, name
    case = {"base": base, "adapter": adapter, "settings": {"max-tokens": tokens, **settings}, "endings": endings}
    write_json(OUT / f"{name}.json", {**case, "prompts": prompts, "ids": alone})
    print(name, [len(ids) for ids in alone], alone[0][:8])


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (arch, adapter, settings, endings) in enumerate(CASES):
        generator = torch.Generator().manual_seed(seed + 9300)
        prompts = [word_ids(length, generator) for length in LENGTHS]
        base = f"{arch}-causal-lm"
        folder = f"adapters/{arch}-{adapter}" if adapter else None
        model = load_adapter(base, HERE / folder, MODELS) if folder else load_base(base, MODELS)
        name = "-".join(filter(None, (arch, adapter, "ignores-prompt" if "repetition-ignores-prompt" in settings else None)))
        write_case(name, model, base, folder, settings, endings, prompts, 24)
    if STORIES.exists():
        model = AutoModelForCausalLM.from_pretrained(STORIES, dtype=torch.float32, attn_implementation="eager").eval()
        for name, settings in (("default", {"beams": 4}), ("paper", PAPER)):
            write_case(f"stories-{name}", model, STORIES.name, None, settings, [2], [*map(list, BEGINNINGS)], 40)


if __name__ == "__main__":
    main()

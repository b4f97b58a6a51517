"""Times training steps of LoRA (rank 8, alpha 16, query and value) with PEFT: forward, backward, clip and AdamW.

Waits for lines on stdin so that a driver can interleave it with other systems: prints {"ready": true, ...} after its
warm-up steps; then a line "N" runs N steps and prints {"ms": [per step], "rss": peak bytes, "loss": last}. An empty
line or the end of stdin ends it. With --rounds N it runs N steps at once and ends.

    python bench/python/step.py --base FOLDER [--mode eager|sdpa|compile] [--batch 16] [--tokens 128] [--rounds N]

The batch has no padding, dropout is off (a frozen base in evaluation mode), precision is float32.
`compile` is torch.compile over scaled-dot-product attention.
"""

import argparse
import json
import sys
from time import perf_counter

import peft
import torch
import transformers
from measures import peak_rss, surroundings


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True, help="a folder made by make_base.py, or any BERT checkpoint")
    parser.add_argument("--mode", choices=("eager", "sdpa", "compile"), default="sdpa")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--rounds", type=int)
    return parser.parse_args()


def build(base, mode):
    base_model = transformers.AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=2, dtype=torch.float32, attn_implementation="eager" if mode == "eager" else "sdpa"
    )
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], task_type="SEQ_CLS")
    model = peft.get_peft_model(base_model, config).eval()
    return torch.compile(model) if mode == "compile" else model


def random_batch(size, tokens, vocabulary):
    generator = torch.Generator().manual_seed(1)
    return {
        "input_ids": torch.randint(1000, vocabulary, (size, tokens), generator=generator),
        "attention_mask": torch.ones(size, tokens, dtype=torch.long),
        "labels": torch.randint(0, 2, (size,), generator=generator),
    }


def stepper(model, batch):
    """A function that trains one step and returns its milliseconds and loss."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)

    def step():
        begin = perf_counter()
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return 1000 * (perf_counter() - begin), loss.item()

    return step


def say(document):
    print(json.dumps(document), flush=True)


def timed(step, count):
    runs = [step() for _ in range(count)]
    say({"ms": [round(ms, 3) for ms, _ in runs], "rss": peak_rss(), "loss": runs[-1][1]})


def main():
    given = arguments()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    around, begin = surroundings(), perf_counter()
    model = build(given.base, given.mode)
    step = stepper(model, random_batch(given.batch, given.tokens, model.config.vocab_size))
    for _ in range(given.warm_up):
        step()
    say({"ready": True, "mode": given.mode, "seconds": round(perf_counter() - begin, 3), **around})
    if given.rounds:
        return timed(step, given.rounds)
    for line in sys.stdin:
        if not line.strip():
            return
        timed(step, int(line))


if __name__ == "__main__":
    main()

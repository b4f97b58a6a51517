"""Times PEFT's mixed batches: rows of one batch that each name an adapter (`adapter_names`), LoRA of rank 8 on query and value.

Waits for lines on stdin so that a driver can interleave it with other systems: prints {"ready": true} after its warm-up;
then a line "N" runs N batches and prints {"ms": [per batch], "rss": peak bytes}. An empty line or the end of stdin ends it.

    python bench/python/adapter_names.py --base FOLDER [--distinct 8] [--batch 32] [--tokens 32] [--threads 1]
"""

import argparse
import json
import sys
from time import perf_counter

import peft
import torch
import transformers
from measures import peak_rss


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True)
    parser.add_argument("--distinct", type=int, default=8)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def build(base, distinct):
    base_model = transformers.AutoModel.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], init_lora_weights=False)
    model = peft.get_peft_model(base_model, config, adapter_name="adapter-0")
    for number in range(1, distinct):
        model.add_adapter(f"adapter-{number}", config)
    return model.eval()


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    model = build(given.base, given.distinct)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(1000, 20000, (given.batch, given.tokens), generator=generator)
    mask = torch.ones_like(ids)
    names = [f"adapter-{row % given.distinct}" for row in range(given.batch)]

    def run():
        begin = perf_counter()
        with torch.no_grad():
            model(input_ids=ids, attention_mask=mask, adapter_names=names).last_hidden_state.mean(1)
        return 1000 * (perf_counter() - begin)

    run()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if not line.strip():
            break
        times = [run() for _ in range(int(line))]
        print(json.dumps({"ms": times, "rss": peak_rss()}), flush=True)


main()

"""Times transformers' greedy generation: a first token, and a text of N, from prompts of random ids.

Waits for lines on stdin so that a driver can interleave it with other systems: prints {"ready": true} after its warm-up;
then a line "N" runs N rounds and prints {"ms": [{"first": …, "all": …} per round], "rss": peak bytes}, each with
milliseconds of the wall and of the processor. An empty line or the end of stdin ends it.

    python bench/python/generate.py --base FOLDER [--dtype float32] [--batch 1] [--prompt 64] [--tokens 32] [--threads 1]
"""

import argparse
import json
import sys
from time import perf_counter, process_time

import torch
import transformers
from measures import peak_rss


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    dtype = getattr(torch, given.dtype)
    model = transformers.AutoModelForCausalLM.from_pretrained(given.base, dtype=dtype, attn_implementation="sdpa").eval()
    rows = [[3 + (row * 31 + at * 17) % 200 for at in range(given.prompt)] for row in range(given.batch)]
    ids = torch.tensor(rows)
    mask = torch.ones_like(ids)

    def taken(count):
        begin, before = perf_counter(), process_time()
        with torch.no_grad():
            model.generate(
                input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=count, min_new_tokens=count, pad_token_id=0
            )
        return {"wall": 1000 * (perf_counter() - begin), "cpu": 1000 * (process_time() - before)}

    taken(2)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if not line.strip():
            break
        times = [{"first": taken(1), "all": taken(given.tokens)} for _ in range(int(line))]
        print(json.dumps({"ms": times, "rss": peak_rss()}), flush=True)


main()

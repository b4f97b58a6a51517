"""The tokenizers library's half of `node bench/reading.mjs tokens`: makes the texts of a file tokens, one by one.

    python bench/python/tokens.py MODEL ROWS.jsonl
"""

import json
import os
import sys
from pathlib import Path
from time import process_time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer  # noqa: E402


def main():
    model, path = sys.argv[1:]
    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    with open(path) as lines:
        texts = [json.loads(line)["text"] for line in lines]
    began = process_time()
    tokens = sum(len(tokenizer.encode(text).ids) for text in texts)
    print(json.dumps({"tokens": tokens, "seconds": process_time() - began}))


main()

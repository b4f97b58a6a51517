"""Makes a BERT checkpoint with random weights, by default in BERT-base's shape (110 M parameters, 440 MB).

    python bench/python/make_base.py FOLDER [--layers 12] [--hidden 768]
"""

import argparse

import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    config = transformers.BertConfig(
        num_hidden_layers=given.layers,
        hidden_size=given.hidden,
        num_attention_heads=given.hidden // 64,
        intermediate_size=4 * given.hidden,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(given.folder)


if __name__ == "__main__":
    main()

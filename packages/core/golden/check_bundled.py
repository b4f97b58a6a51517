"""Compares the logits that petl and transformers compute with the bundled bases. Not part of the test run.

    npm run build && python packages/core/golden/check_bundled.py
"""

import json
import subprocess
import tempfile

import torch
import transformers

from tiny import HERE

ROOT = HERE.parents[2]
TEXTS = ["The door opened, and the old man looked at her.", "How do I get my money back for the kettle?"]
CLASSES = {
    "petl-mini-encoder": transformers.AutoModelForMaskedLM,
    "petl-mini-decoder": transformers.AutoModelForCausalLM,
}


def petl_logits(base, rows):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps({"input_ids": ids}) + "\n" for ids in rows)
        file.flush()
        command = ["node", ROOT / "packages/petl/bin/petl.js", "logits", "--base", base, "--input", file.name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [torch.tensor(json.loads(line)["logits"]) for line in said.splitlines()]


@torch.no_grad()
def main():
    for name, kind in CLASSES.items():
        base = ROOT / "models" / name
        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
        model = kind.from_pretrained(base, dtype=torch.float32, attn_implementation="eager").eval()
        rows = [tokenizer(text)["input_ids"] for text in TEXTS]
        wanted = [model(torch.tensor([ids])).logits[0] for ids in rows]
        distance = max((a - b).abs().max().item() for a, b in zip(petl_logits(base, rows), wanted))
        largest = max(logits.abs().max().item() for logits in wanted)
        print(f"{name}: largest difference {distance:.0e}, of logits up to {largest:.0f}")
        assert distance < 1e-4, name  # float32 sums in another order


if __name__ == "__main__":
    main()

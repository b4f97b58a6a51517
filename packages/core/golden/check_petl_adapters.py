"""Reads with Hugging Face's own libraries what petl wrote, and compares the logits. Not part of the test run.

    npm run build && node packages/core/golden/petl_adapters.mjs OUT
    python packages/core/golden/check_petl_adapters.py OUT

OUT/<base>-<case> are adapters: PeftModel.from_pretrained must read them without a warning of the user and without a missing or
superfluous tensor. OUT/merged-* are checkpoints: transformers must find every tensor of its class in them.
"""

import json
import sys
import warnings
from pathlib import Path

import peft
import torch

from peft_cases import CLASSES, arch_of, head_of, load_base
from tiny import MODELS

TOLERANCE = 1e-4  # float32 sums in another order; logits are about 1


def main(out):
    worst = 0.0
    folders = sorted(path for path in Path(out).iterdir() if (path / "golden.json").exists())
    for folder in folders:
        golden = json.loads((folder / "golden.json").read_text())
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("ignore", FutureWarning)  # transformers' own names
            model = checkpoint(folder, golden) if folder.name.startswith("merged-") else adapter(folder, golden)
        distance = max(
            # with prompt tuning PEFT gives logits of the virtual tokens too, in front of the text's
            (logits(model, row, arch_of(golden["base"]))[-len(wanted) :] - torch.tensor(wanted)).abs().max().item()
            for row, wanted in zip(golden["rows"], golden["logits"])
        )
        worst = max(worst, distance)
        print(f"{distance:.1e}  {folder.name}")
        assert distance < TOLERANCE, folder.name
    print(f"{len(folders)} folders, largest distance {worst:.1e}")


def adapter(folder, golden):
    """The adapter on its base; PEFT's own loader says which keys it missed or could not place."""
    config = peft.PeftConfig.from_pretrained(folder)
    model = peft.PeftModel.from_pretrained(load_base(golden["base"], MODELS), folder)
    result = peft.set_peft_model_state_dict(model, peft.load_peft_weights(folder))
    assert config.is_prompt_learning or not result.unexpected_keys, result.unexpected_keys
    ours = set(peft.load_peft_weights(folder))
    theirs = set(peft.get_peft_model_state_dict(model, save_embedding_layers=False))
    # with bias "all" PEFT writes the biases of heads two times more, of which petl keeps the trained one
    copies = {key for key in theirs if ".modules_to_save." in key or ".original_module." in key}
    assert ours == theirs - copies, ours ^ (theirs - copies)
    return model.eval()


def checkpoint(folder, golden):
    model, info = CLASSES[head_of(golden["base"])].from_pretrained(
        folder, output_loading_info=True, attn_implementation="eager"
    )
    assert not any(info.values()), info
    return model.eval()


@torch.no_grad()
def logits(model, row, arch):
    inputs = {name: torch.tensor([ids]) for name, ids in row.items() if arch == "bert" or name != "token_type_ids"}
    return model(**inputs).logits.flatten()


if __name__ == "__main__":
    main(sys.argv[1])

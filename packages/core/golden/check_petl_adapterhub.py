"""Reads with AdapterHub's library what petl writes for it, and compares the logits. Not part of the test run.

    npm run build && python -P packages/core/golden/check_petl_adapterhub.py OUT  # adapters==1.3.0, transformers==4.57.6

Every adapter of adapterhub/, which the library wrote, is converted by petl into OUT/<case>, written anew for the library. What
that loads must compute the logits that the first one did.
"""

import json
import subprocess
import sys
from pathlib import Path

import adapters
import torch
from transformers import AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
TOLERANCE = 1e-4  # float32 sums in another order; logits are about 1
# the fused layer comes to have a rank of its own, which the library's one rank cannot say
REFUSED = ["gpt2-lora"]


def main(out):
    worst = 0.0
    folders = sorted(path for path in (HERE / "adapterhub").iterdir() if path.name not in REFUSED)
    for folder in folders:
        golden = json.loads((folder / "golden.json").read_text())
        base = HERE / "models" / golden["base"]
        target = Path(out) / folder.name
        command = ["node", PETL, "convert", "--adapter", folder, "--base", base, "--to", "adapterhub", "--out", target]
        subprocess.run([*command, "--overwrite"], check=True, capture_output=True)
        model = AutoModelForSequenceClassification.from_pretrained(base, attn_implementation="eager")
        adapters.init(model)
        model.load_adapter(str(target), set_active=True)
        rows = json.loads((base / "golden.json").read_text())["rows"]
        wanted = torch.tensor(golden["logits"])
        distance = (logits(model.eval(), rows) - wanted).abs().max().item()
        worst = max(worst, distance)
        print(f"{distance:.1e}  {folder.name}")
        assert distance < TOLERANCE, folder.name
    print(f"{len(folders)} adapters, largest distance {worst:.1e}")


@torch.no_grad()
def logits(model, rows):
    inputs = [{key: torch.tensor([value]) for key, value in row.items()} for row in rows]
    return torch.stack([model(**each).logits[0] for each in inputs])


if __name__ == "__main__":
    main(sys.argv[1])

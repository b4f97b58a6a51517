"""Loads into models of the LoRA authors' library what petl writes for it, and compares the logits. Not part of the test run.

    npm run build && python packages/core/golden/check_petl_loralib.py OUT  # loralib==0.1.2

PEFT's adapters of adapters/ and the library's own of loralib/ are converted by petl into OUT/<case>. Loaded with strict=False
into the base with loralib's layers, with the alpha that petl tells, no tensor may be unexpected, none of loralib's missing, and
the logits must be those of the first adapter.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import torch

from loralib_models import with_loralib
from peft_cases import arch_of
from tiny import HERE, MODELS, logits

PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
TOLERANCE = 1e-4  # float32 sums in another order; logits are up to 10
CASES = [
    "adapters/bert-lora",
    "adapters/bert-lora-all-linear",
    "adapters/bert-lora-base-head",
    "adapters/bert-lora-bias-all",
    "adapters/bert-lora-bias-only",
    "adapters/bert-lora-layers",
    "adapters/bert-lora-rslora",
    "adapters/bert-pissa",
    "adapters/roberta-lora",
    "adapters/distilbert-lora",
    "adapters/gpt2-lora",
    "adapters/gpt2-lora-all-linear",
    "adapters/gpt2-pissa",
    "adapters/gpt2-text-lora",
    "adapters/llama-lora-all-linear",
    "adapters/llama-olora",
    "loralib/bert",
    "loralib/bert-bias-all",
    "loralib/bert-lora-only",
    "loralib/gpt2-queries-values",
]


def main(out):
    worst = 0.0
    for case in CASES:
        golden = json.loads((HERE / case / "golden.json").read_text())
        base = golden["base"]
        target = Path(out) / Path(case).name
        command = ["node", PETL, "convert", "--adapter", HERE / case, "--base", MODELS / base, "--to", "loralib"]
        command += ["--out", target, "--overwrite", *(["--alpha", str(golden["alpha"])] if "alpha" in golden else [])]
        said = subprocess.run(command, check=True, capture_output=True, text=True)
        alpha = float(re.search(r"alpha, which is (\S+) here", said.stdout + said.stderr).group(1))
        state = torch.load(target / "adapter.bin", weights_only=True)
        ranks = {name.removesuffix(".lora_A"): len(A) for name, A in state.items() if name.endswith(".lora_A")}
        model = with_loralib(base, ranks, alpha)
        missing, unexpected = model.load_state_dict(state, strict=False)
        assert not unexpected and not any("lora_" in name for name in missing), (unexpected, missing)
        rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
        found = logits(model.eval(), rows, arch_of(base))
        distance = max((got - torch.tensor(want)).abs().max().item() for got, want in zip(found, golden["logits"]))
        worst = max(worst, distance)
        print(f"{distance:.1e}  {case}")
        assert distance < TOLERANCE, case
    print(f"{len(CASES)} adapters, largest distance {worst:.1e}")


if __name__ == "__main__":
    main(sys.argv[1])

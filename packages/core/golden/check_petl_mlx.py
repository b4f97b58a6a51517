"""Loads with mlx-lm what petl writes for it, and compares the logits. Not part of the test run.

    npm run build && python packages/core/golden/check_petl_mlx.py OUT  # mlx-lm==0.32.2, on Linux mlx[cpu]==0.32.4

PEFT's adapters of adapters/ and mlx-lm's own of mlx/ are converted by petl into OUT/<case>. mlx_lm.tuner.utils.load_adapters
refuses tensors that the model has no place for, or of other shapes; the logits must be those of the first adapter.
"""

import json
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model

from mlx_adapters import logits
from tiny import HERE, MODELS

PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
TOLERANCE = 1e-4  # float32 sums in another order; logits are up to 10
CASES = [
    "adapters/llama-lora",
    "adapters/llama-lora-all-linear",
    "adapters/llama-dora",
    "adapters/llama-pissa",
    "adapters/llama-olora",
    "adapters/qwen3-lora",
    "adapters/phi3-lora",
    *(f"mlx/{path.name}" for path in sorted((HERE / "mlx").iterdir())),
]


def main(out):
    worst = 0.0
    for case in CASES:
        golden = json.loads((HERE / case / "golden.json").read_text())
        base = MODELS / golden["base"]
        target = Path(out) / case.replace("/", "-")
        command = ["node", PETL, "convert", "--adapter", HERE / case, "--base", base, "--to", "mlx", "--out", target]
        subprocess.run([*command, "--overwrite"], check=True, capture_output=True)
        model = load_adapters(load_model(base)[0], str(target)).eval()
        found = logits(model, golden["base"])
        distance = max(
            mx.abs(mx.array(got) - mx.array(wanted)).max().item() for got, wanted in zip(found, golden["logits"])
        )
        worst = max(worst, distance)
        print(f"{distance:.1e}  {case}")
        assert distance < TOLERANCE, case
    print(f"{len(CASES)} adapters, largest distance {worst:.1e}")


if __name__ == "__main__":
    main(sys.argv[1])

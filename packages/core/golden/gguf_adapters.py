"""Adapters that llama.cpp's own converter wrote from PEFT's, whose logits adapters/ holds.

Writes gguf/<adapter>/adapter.gguf, in float32, and gguf/<adapter>-f16/ in float16.

    python packages/core/golden/gguf_adapters.py LLAMA_CPP  # a checkout of ggml-org/llama.cpp, gguf==0.19.0

LLAMA_CPP was the one within llama-cpp-python==0.3.36's sdist, vendor/llama.cpp. GPT-2 is left out: the converter turns the weights
of its layers round, which PEFT's factors are not, so llama.cpp itself refuses what comes of it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE / "gguf"
CASES = [
    ("llama-lora-all-linear", "f32"),
    ("llama-lora", "f16"),
    ("mistral-lora", "f32"),
    ("qwen2-lora", "f32"),
    ("qwen3-lora", "f32"),
    ("gemma2-lora", "f32"),
    ("gemma3_text-lora", "f32"),
    ("phi3-lora", "f32"),
]


def main(llama_cpp):
    shutil.rmtree(OUT, ignore_errors=True)
    for name, kind in CASES:
        adapter = HERE / "adapters" / name
        base = HERE / "models" / json.loads((adapter / "golden.json").read_text())["base"]
        target = OUT / (name if kind == "f32" else f"{name}-{kind}")
        target.mkdir(parents=True)
        command = [sys.executable, Path(llama_cpp) / "convert_lora_to_gguf.py", adapter, "--base", base]
        command += ["--outtype", kind, "--outfile", target / "adapter.gguf"]
        subprocess.run(command, check=True, capture_output=True)
        print(target.name)


if __name__ == "__main__":
    main(sys.argv[1])

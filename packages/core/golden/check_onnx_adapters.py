"""Runs with ONNX Runtime's own Python library the graphs and adapters that petl writes for it. Not part of the test run.

    npm run build && python packages/core/golden/check_onnx_adapters.py OUT  # onnxruntime==1.32.0

For each case petl writes the graph of one adapter of adapters/, and files of the others for the same graph, which differ from
the first in rank, alpha, starts or layers. One session then computes, row by row, with no adapter what the base does
(where the method starts as the base), and with each adapter what PEFT's golden logits say, switching to and fro.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy
import onnxruntime

HERE = Path(__file__).resolve().parent
PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
TOLERANCE = 1e-4  # float32 sums in another order; logits are about 1
# the graph's adapter, then others for it, and whether the graph is the base without any
CASES = [
    (["bert-lora", "bert-lora-rslora", "bert-lora-layers", "bert-pissa"], True),
    (["bert-lora-all-linear", "bert-lora", "bert-lora-patterns"], True),
    (["bert-lora-bias-all"], True),
    (["bert-lora-embedding"], True),
    (["bert-dora"], True),
    (["bert-ia3"], True),
    (["bert-vera"], True),
    (["bert-adalora"], True),
    (["bert-loha"], True),
    (["bert-prefix"], False),
    (["gpt2-lora", "gpt2-pissa"], True),
    (["llama-lora-all-linear", "llama-lora", "llama-olora"], True),
    (["llama-dora"], True),
    (["llama-lokr"], True),
    (["llama-prompt"], False),
]


def petl(*arguments):
    subprocess.run(["node", PETL, *arguments, "--overwrite"], check=True, capture_output=True)


def golden(name):
    return json.loads((HERE / "adapters" / name / "golden.json").read_text())


def main(out):
    worst = 0.0
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns that inputs with defaults are no constants
    for names, is_base in CASES:
        base = HERE / "models" / golden(names[0])["base"]
        rows = json.loads((base / "golden.json").read_text())["rows"]
        graph = Path(out) / names[0]
        petl(
            *["merge", "--base", base, "--adapter", HERE / "adapters" / names[0]],
            *["--to", "onnx", "--adapter-inputs", "--out", graph],
        )
        folders = {names[0]: graph / "adapter"}
        for name in names[1:]:
            folders[name] = Path(out) / f"{names[0]}+{name}"
            petl(
                *["convert", "--base", base, "--adapter", HERE / "adapters" / name],
                *["--to", "onnx-adapter", "--out", folders[name]],
            )
        session = onnxruntime.InferenceSession(graph / "onnx" / "model.onnx", options)
        adapters = {name: load(folder / "adapter.onnx_adapter") for name, folder in folders.items()}
        wanted = {name: golden(name)["logits"] for name in names}
        if is_base:
            adapters["no adapter"], wanted["no adapter"] = None, golden(names[0])["base_logits"]
        for name in [*adapters, *adapters]:
            distance = max(
                numpy.abs(logits(session, row, adapters[name]) - numpy.array(values).ravel()).max()
                for row, values in zip(rows, wanted[name])
            )
            worst = max(worst, distance)
            print(f"{distance:.1e}  {names[0]} with {name}")
            assert distance < TOLERANCE, name
    print(f"{len(CASES)} graphs, largest distance {worst:.1e}")


def load(file):
    adapter = onnxruntime.LoraAdapter()
    adapter.Load(str(file))
    return adapter


def logits(session, row, adapter):
    ids = row["input_ids"]
    mask = row.get("attention_mask", [1] * len(ids))
    given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": row.get("token_type_ids", [0] * len(ids))}
    names = {value.name for value in session.get_inputs()}
    feeds = {name: numpy.array([values], dtype=numpy.int64) for name, values in given.items() if name in names}
    options = onnxruntime.RunOptions()
    if adapter is not None:
        options.add_active_adapter(adapter)
    found = session.run(["logits"], feeds, options)[0][0]
    return (found[[at for at, seen in enumerate(mask) if seen]] if found.ndim == 2 else found).ravel()


if __name__ == "__main__":
    main(sys.argv[1])

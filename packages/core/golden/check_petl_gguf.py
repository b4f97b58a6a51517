"""Reads with the gguf library what petl writes, beside what llama.cpp's own converter wrote. Not part of the test run.

    npm run build && python packages/core/golden/check_petl_gguf.py OUT  # gguf==0.19.0

For every float32 file of gguf/ petl converts the same adapter into OUT/<adapter>. The two files must have the same fields, of the
same types and values, and tensors of the same names, types and shapes. Alpha is 0 in petl's, with which llama.cpp multiplies
nothing; so A must have the same bits, and B those of the converter's times alpha / rank.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy
from gguf import GGUFReader

HERE = Path(__file__).resolve().parent
PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
ALPHA = "adapter.lora.alpha"
# what the converter guesses from its folder's name, and the version of a quantisation that no tensor here has
OPTIONAL = ["general.name", "general.basename", "general.finetune", "general.quantization_version"]


def main(out):
    folders = sorted(path for path in (HERE / "gguf").iterdir() if not path.name.endswith("-f16"))
    for folder in folders:
        adapter = HERE / "adapters" / folder.name
        base = HERE / "models" / json.loads((adapter / "golden.json").read_text())["base"]
        target = Path(out) / folder.name
        command = ["node", PETL, "convert", "--adapter", adapter, "--base", base, "--to", "gguf", "--out", target]
        subprocess.run([*command, "--overwrite"], check=True, capture_output=True)
        ours, theirs = (GGUFReader(each / "adapter.gguf") for each in (target, folder))
        assert fields(ours) | {ALPHA: None} == fields(theirs) | {ALPHA: None}, (fields(ours), fields(theirs))
        assert [ours.fields[ALPHA].contents(), ours.fields[ALPHA].types] == [0, theirs.fields[ALPHA].types]
        alpha = theirs.fields[ALPHA].contents()
        found, wanted = ({tensor.name: tensor for tensor in reader.tensors} for reader in (ours, theirs))
        assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
        for name, tensor in wanted.items():
            got = found[name]
            assert (got.tensor_type, got.shape.tolist()) == (tensor.tensor_type, tensor.shape.tolist()), name
            scale = alpha / tensor.shape[0] if name.endswith(".lora_b") else 1  # of B the first axis is the rank
            assert numpy.array_equal(got.data, tensor.data * numpy.float32(scale)), name
        print(f"{len(wanted)} tensors  {folder.name}")
    print(f"{len(folders)} adapters, all bits equal")


def fields(reader):
    """Names, types and values, without the counts that GGUFReader adds."""
    own = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    return {name: (field.types, field.contents()) for name, field in own.items() if name not in OPTIONAL}


if __name__ == "__main__":
    main(sys.argv[1])

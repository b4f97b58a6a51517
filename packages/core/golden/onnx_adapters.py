"""An .onnx_adapter that ONNX Runtime's own library wrote, with parameters of several types and shapes.

Writes onnx-adapters/ort.onnx_adapter and golden.json, the parameters by name: type, shape and numbers.

    python packages/core/golden/onnx_adapters.py  # onnxruntime==1.32.0
"""

import json
from pathlib import Path

import numpy
import onnxruntime

OUT = Path(__file__).resolve().parent / "onnx-adapters"
PARAMETERS = {
    "layer.0.lora_A": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 4,
    "layer.0.lora_B": numpy.arange(4, dtype=numpy.float16).reshape(4, 1) - 1.5,
    "steps": numpy.array([-1, 2**40], dtype=numpy.int64),
    "a scalar": numpy.array(0.5, dtype=numpy.float64),
    "nothing": numpy.zeros((0, 3), dtype=numpy.float32),
}


def main():
    OUT.mkdir(exist_ok=True)
    adapter = onnxruntime.AdapterFormat()
    adapter.set_adapter_version(7)
    adapter.set_model_version(9)
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in PARAMETERS.items()}
    adapter.set_parameters(values)
    adapter.export_adapter(str(OUT / "ort.onnx_adapter"))
    golden = {
        name: {"dtype": str(value.dtype), "shape": value.shape, "values": value.ravel().tolist()}
        for name, value in PARAMETERS.items()
    }
    (OUT / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()

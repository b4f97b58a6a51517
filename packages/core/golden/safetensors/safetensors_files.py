"""Writes the golden safetensors files beside it with the reference implementation.

python packages/core/golden/safetensors/safetensors_files.py   (needs safetensors, torch)
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent

# every element type, a scalar, an empty tensor, and names whose order differs between bytes and UTF-16
every_type = {
    "z.float32": torch.tensor([[0.0, -0.0, 1.5], [float("inf"), -float("inf"), 1e-45]], dtype=torch.float32),
    "a.float64": torch.tensor([0.1, -2.5e300], dtype=torch.float64),
    "half": torch.tensor([1.0, -65504.0, 6e-8], dtype=torch.float16),
    "brain": torch.tensor([1.0, -3e38, 1e-40], dtype=torch.bfloat16),
    "i64": torch.tensor([-(2**63), 2**53 + 1], dtype=torch.int64),
    "i32": torch.tensor([-(2**31), 7], dtype=torch.int32),
    "i16": torch.tensor([-32768, 258], dtype=torch.int16),
    "i8": torch.tensor([-128, 127, 3], dtype=torch.int8),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "yes": torch.tensor([True, False, True], dtype=torch.bool),
    "scalar": torch.tensor(3.25),
    "empty": torch.zeros(0, 4),
    "10": torch.tensor([10.0]),
    "9": torch.tensor([9.0]),
    'quote " \\ \n é': torch.tensor([1.0]),
    "\ufb00": torch.tensor([2.0]),
    "\U0001f600": torch.tensor([3.0]),
}
save_file(every_type, here / "every-type.safetensors", metadata={"format": "pt"})
save_file({}, here / "no-tensor.safetensors")
save_file({"w": torch.arange(6.0).reshape(2, 3)}, here / "no-metadata.safetensors")

"""The tiny checkpoints with layers of loralib in place of linear ones, for loralib_adapters.py and check_petl_loralib.py."""

import loralib
import torch

from peft_cases import load_base
from tiny import MODELS


def with_loralib(base, layers, alpha):
    """The base, whose modules at the paths of `layers` are loralib's: path -> rank, or (rank, blocks) of a fused layer."""
    model = load_base(base, MODELS)
    for path, size in layers.items():
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, replaced(model.get_submodule(path), size, alpha))
    return model


def replaced(old, size, alpha):
    """loralib's layer with the weights of the old one; GPT-2 keeps its as [in, out]."""
    transposed = not isinstance(old, torch.nn.Linear)
    inside, outside = old.weight.shape if transposed else old.weight.shape[::-1]
    rest = dict(lora_alpha=alpha, bias=old.bias is not None, fan_in_fan_out=transposed)
    if isinstance(size, int):
        new = loralib.Linear(inside, outside, r=size, **rest)
    else:
        new = loralib.MergedLinear(inside, outside, r=size[0], enable_lora=size[1], **rest)
    missing, unexpected = new.load_state_dict(old.state_dict(), strict=False)
    assert {*missing} == {"lora_A", "lora_B"} and not unexpected
    return new

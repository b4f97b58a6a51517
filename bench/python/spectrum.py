"""Singular values of a checkpoint's matrices and of updates to them, by NumPy in float64; one JSON document on stdout."""

import argparse
import json
import time

import numpy
from safetensors.numpy import load_file

arguments = argparse.ArgumentParser()
for name in ["--base", "--updates", "--scale"]:
    arguments.add_argument(name, required=True)
asked = arguments.parse_args()

base, updates = load_file(asked.base), load_file(asked.updates)
names = [name for name in base if f"{name} dense" in updates]
matrices = {name: base[name] for name in names}
for name in names:
    matrices[f"{name} dense"] = updates[f"{name} dense"]
    A, B = (updates[f"{name} {factor}"].astype(numpy.float64) for factor in "AB")
    matrices[f"{name} low rank"] = float(asked.scale) * (B @ A)

begin = time.process_time()
values = {name: numpy.linalg.svd(W.astype(numpy.float64), compute_uv=False) for name, W in matrices.items()}
seconds = time.process_time() - begin


def count(sizes):
    """How many of the values carry 90 % of their squares."""
    squares = numpy.cumsum(sizes**2)
    return int(numpy.searchsorted(squares, 0.9 * squares[-1]) + 1)


print(
    json.dumps(
        {
            "numpy": numpy.__version__,
            "seconds": seconds,
            "values": {name: sizes.tolist() for name, sizes in values.items()},
            "counts": {name: count(sizes) for name, sizes in values.items()},
        }
    )
)

"""What both benchmark halves measure of their own process."""

import os
import resource
import sys

import peft
import torch
import transformers


def peak_rss():
    """The most memory this process has held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def surroundings():
    """Versions, and the machine's load when asked: with other work on its cores torch's waiting threads cost most."""
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
        "load": round(os.getloadavg()[0], 2),
    }

"""Golden outputs of bottleneck adapters, which PEFT lacks, written here in torch after their formulas.

bn(h) = scale (W_up act(W_down h + b_down) + b_up). f is what the block's last linear layer gives, x the block's
residual input, LN the model's own LayerNorm behind their sum (Adapters library 1.3.0, the config in brackets):

  houlsby   out = LN(f + bn(f) + x)           behind attention and FFN, swish   [double_seq_bn; Houlsby et al. 2019]
  pfeiffer  out = LN(f + bn(LN(f + x)) + x)   behind the FFN only, relu         [seq_bn; Pfeiffer et al. 2020]
  parallel  out = LN(f + bn(x) + x)           behind attention and FFN, relu, scale 4   [par_bn; He et al. 2021]

Writes bottleneck/<arch>-<form>/tensors.safetensors, named <site>.adapter_{down,up}.{weight,bias} after the module
paths of the Adapters library, and golden.json (`base`, `form`, `size`, `activation`, `scale`, `logits`,
`base_logits`). The head is the base's own.

    python packages/core/golden/bottleneck.py
"""

import json
import shutil
from types import MethodType

import torch
from safetensors.torch import save_file
from torch.nn.functional import linear, relu, silu

from peft_cases import ENCODERS, load_base
from tiny import HERE, MODELS, draw, logits, write_json

OUT = HERE / "bottleneck"
SIZE = 6
FORMS = {
    "houlsby": dict(activation="swish", scale=1.0, places=("attention", "ffn")),
    "pfeiffer": dict(activation="relu", scale=1.0, places=("ffn",)),
    "parallel": dict(activation="relu", scale=4.0, places=("attention", "ffn")),
}
ACTIVATIONS = {"relu": relu, "swish": silu}


def bottleneck(tensors, site, activation, scale):
    """The function bn of one site."""
    down, down_bias, up, up_bias = (
        tensors[f"{site}.{name}"]
        for name in ("adapter_down.weight", "adapter_down.bias", "adapter_up.weight", "adapter_up.bias")
    )
    return lambda h: scale * linear(ACTIVATIONS[activation](linear(h, down, down_bias)), up, up_bias)


def block_output(form, bn, norm, f, x):
    """The three formulas above; without an adapter LN(f + x)."""
    if bn is None:
        return norm(f + x)
    read = {"houlsby": f, "pfeiffer": norm(f + x), "parallel": x}[form]
    return norm(f + bn(read) + x)


def new_tensors(sites, seed, std, hidden=32):
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "adapter_down.weight": (SIZE, hidden),
        "adapter_down.bias": (SIZE,),
        "adapter_up.weight": (hidden, SIZE),
        "adapter_up.bias": (hidden,),
    }
    tensors = {f"{site}.{name}": torch.empty(shape) for site in sites for name, shape in shapes.items()}
    for tensor in tensors.values():
        draw(tensor, generator, std)
    return tensors


def site_names(arch, model, places):
    """{(layer, place): site}, in the Adapters library's words."""
    if arch == "distilbert":
        layers, names = len(model.distilbert.transformer.layer), dict(attention="attention_adapters", ffn="output_adapters")
        root = "distilbert.transformer.layer"
    else:
        layers, names = len(getattr(model, arch).encoder.layer), dict(attention="attention.output", ffn="output")
        root = f"{arch}.encoder.layer"
    return {(n, place): f"{root}.{n}.{names[place]}" for n in range(layers) for place in places}


def attach(arch, model, form, functions):
    """Replaces the forward of every block's end; `functions` maps (layer, place) to bn."""
    layers = model.distilbert.transformer.layer if arch == "distilbert" else getattr(model, arch).encoder.layer
    for n, layer in enumerate(layers):
        at_attention, at_ffn = functions.get((n, "attention")), functions.get((n, "ffn"))
        if arch == "distilbert":
            attach_distilbert(layer, form, at_attention, at_ffn)
        else:
            attach_bert(layer.attention.output, form, at_attention)
            attach_bert(layer.output, form, at_ffn)


def attach_bert(module, form, bn):
    def forward(self, hidden_states, input_tensor):
        return block_output(form, bn, self.LayerNorm, self.dense(hidden_states), input_tensor)

    module.forward = MethodType(forward, module)


def attach_distilbert(layer, form, at_attention, at_ffn):
    def forward(self, hidden_states, attention_mask=None, **more):
        f, _ = self.attention(hidden_states, attention_mask=attention_mask, **more)
        middle = block_output(form, at_attention, self.sa_layer_norm, f, hidden_states)
        return block_output(form, at_ffn, self.output_layer_norm, self.ffn(middle), middle)

    layer.forward = MethodType(forward, layer)


def write_case(arch, form, seed):
    base = f"{arch}-sequence-classification"
    rows = json.loads((MODELS / base / "golden.json").read_text())["rows"]
    model = load_base(base, MODELS)
    base_logits = logits(model, rows, arch)
    activation, scale, places = (FORMS[form][key] for key in ("activation", "scale", "places"))
    sites = site_names(arch, model, places)
    tensors = new_tensors(sites.values(), seed, std=0.3 if scale == 1 else 0.15)
    # first without any adapter: the replaced forwards must still be the model's own
    attach(arch, model, form, {})
    for one, other in zip(logits(model, rows, arch), base_logits):
        torch.testing.assert_close(one, other)
    attach(arch, model, form, {at: bottleneck(tensors, site, activation, scale) for at, site in sites.items()})
    folder = OUT / f"{arch}-{form}"
    folder.mkdir(parents=True)
    save_file(tensors, folder / "tensors.safetensors")
    settings = dict(base=base, form=form, size=SIZE, activation=activation, scale=scale)
    write_json(folder / "golden.json", {**settings, "logits": logits(model, rows, arch), "base_logits": base_logits})


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for seed, (arch, form) in enumerate((arch, form) for arch in ENCODERS for form in FORMS):
        write_case(arch, form, seed + 3000)
        print(f"{arch}-{form}")


if __name__ == "__main__":
    main()

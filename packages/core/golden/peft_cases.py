"""The PEFT adapters that the golden scripts write: configs per architecture, nonzero tensors, save and load."""

import json
import shutil

import peft
import torch
import transformers
from safetensors.torch import save_file

from tiny import DECODERS, draw, load

# the linear layers by their role in the architecture
LINEAR = {
    "bert": dict(q="query", k="key", v="value", up="intermediate.dense", down="output.dense"),
    "roberta": dict(q="query", k="key", v="value", up="intermediate.dense", down="output.dense"),
    "distilbert": dict(q="q_lin", k="k_lin", v="v_lin", up="lin1", down="lin2"),
    **{arch: dict(q="q_proj", k="k_proj", v="v_proj", up="up_proj", down="down_proj") for arch in DECODERS},
    "gpt2": dict(q="attn.c_attn", k="attn.c_attn", v="attn.c_attn", up="mlp.c_fc", down="mlp.c_proj"),
    "phi3": dict(q="qkv_proj", k="qkv_proj", v="qkv_proj", up="gate_up_proj", down="down_proj"),
}
ENCODERS = ("bert", "roberta", "distilbert")
EMBEDDING = "word_embeddings"
CLASSES = {
    "sequence-classification": transformers.AutoModelForSequenceClassification,
    "regression": transformers.AutoModelForSequenceClassification,
    "token-classification": transformers.AutoModelForTokenClassification,
    "masked-lm": transformers.AutoModelForMaskedLM,
    "causal-lm": transformers.AutoModelForCausalLM,
}
TASKS = {
    "sequence-classification": "SEQ_CLS",
    "regression": "SEQ_CLS",
    "token-classification": "TOKEN_CLS",
    "causal-lm": "CAUSAL_LM",
}


def head_of(base):
    """The head's name in a model folder's name: "bert-regression" -> "regression"."""
    return base.split("-", 1)[1]


def arch_of(base):
    return base.split("-", 1)[0]


def lora(base, roles="qv", **more):
    """PEFT's LoRA of rank 4 and alpha 8 on the given roles; `more` overrides any field."""
    return peft.LoraConfig(**{**dict(r=4, lora_alpha=8, **targeted(base, roles), **orientation(base)), **more})


def vera(base, roles=("q", "v", "down"), **more):
    """PEFT's VeRA of rank 6, on layers of several sizes."""
    return peft.VeraConfig(r=6, **targeted(base, roles), **orientation(base), **more)


def loha(base, roles="qv", **more):
    """PEFT's LoHa of rank 3 and alpha 4; it knows no Conv1D, so not GPT-2."""
    return peft.LoHaConfig(**{**dict(r=3, alpha=4, **targeted(base, roles)), **more})


def lokr(base, roles="qv", **more):
    """PEFT's LoKr of rank 2 and alpha 4."""
    return peft.LoKrConfig(**{**dict(r=2, alpha=4, **targeted(base, roles)), **more})


def targeted(base, roles):
    names = LINEAR[arch_of(base)]
    targets = sorted({names[role] for role in roles}, key=[names[role] for role in roles].index)
    return dict(target_modules=targets, task_type=TASKS.get(head_of(base)))


def orientation(base):
    """GPT-2 keeps its weights as [in, out]."""
    return dict(fan_in_fan_out=True) if arch_of(base) == "gpt2" else {}


def ia3(base, roles=("k", "v", "down"), feedforward=("down",)):
    names = LINEAR[arch_of(base)]
    return peft.IA3Config(
        target_modules=sorted({names[role] for role in roles}),
        feedforward_modules=[names[role] for role in feedforward],
        task_type=TASKS[head_of(base)],
        **orientation(base),
    )


def prefix(base):
    return peft.PrefixTuningConfig(num_virtual_tokens=5, task_type=TASKS[head_of(base)], **sizes(base))


def prompt(base):
    return peft.PromptTuningConfig(num_virtual_tokens=5, task_type=TASKS[head_of(base)], **sizes(base))


def adaption(base, **more):
    """PEFT's LLaMA-Adapter of four vectors in the top layer."""
    return peft.AdaptionPromptConfig(**{**dict(adapter_len=4, adapter_layers=1, task_type=TASKS[head_of(base)]), **more})


def sizes(base):
    """PEFT does not know DistilBERT's names for its sizes."""
    return dict(token_dim=32, num_layers=2, num_attention_heads=4) if arch_of(base) == "distilbert" else {}


def load_base(base, models):
    return load(CLASSES[head_of(base)], models / base)


def randomize_adapter(model, seed):
    """Draws every trained tensor: DoRA's magnitudes by a factor near 1, IA3's scales near 1, the rest near 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if "lora_magnitude_vector" in name:
            factor = torch.empty_like(parameter)
            draw(factor, generator, std=0.2, mean=1.0)
            parameter.data.mul_(factor)
        elif "ia3_l" in name:
            draw(parameter, generator, std=0.4, mean=1.0)
        else:
            draw(parameter, generator, std=0.6 if "prompt_encoder" in name else 0.3)


def adapted(base, config, seed, models):
    """The base with a new adapter whose tensors are all random."""
    model = peft.get_peft_model(load_base(base, models), config)
    model.peft_config["default"].base_model_name_or_path = base
    randomize_adapter(model, seed)
    return model.eval()


def save_adapter(model, folder, **more):
    """PEFT's own two files, without the model card; its sets are sorted, as their order changes from run to run."""
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, save_embedding_layers=False, **more)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    for key in ("target_modules", "feedforward_modules", "exclude_modules"):
        if isinstance(config.get(key), list):
            config[key].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def load_adapter(base, folder, models, is_trainable=False):
    """The adapter as read back from its files, on a fresh base."""
    if is_trainable and peft.PeftConfig.from_pretrained(folder).is_prompt_learning:
        return trainable_prompt(base, folder, models)
    return peft.PeftModel.from_pretrained(load_base(base, models), folder, is_trainable=is_trainable).eval()


def trainable_prompt(base, folder, models):
    """from_pretrained refuses to train prompt learning any further, so its tensors go into a new adapter."""
    config = peft.PeftConfig.from_pretrained(folder)
    config.inference_mode = False
    model = peft.get_peft_model(load_base(base, models), config)
    peft.set_peft_model_state_dict(model, peft.load_peft_weights(folder))
    return model.eval()


def save_changed(model, original, path):
    """Writes the tensors of `model` that differ from `original`'s; returns how many there are."""
    before = original.state_dict()
    changed = {
        name: tensor.clone().contiguous()
        for name, tensor in model.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    save_file(changed, path)
    return len(changed)

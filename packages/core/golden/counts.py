"""counts.json: how many parameters PEFT trains on configurations of small bases, without the head and of the head.

    python packages/core/golden/counts.py

Each case has the base's config.json, the task with three labels, and the method with petl's options.
"""

import json
import warnings

import peft
import torch
import transformers

from tiny import HERE

SEQUENCE, TOKEN, CAUSAL = "classification", "token-classification", "causal-lm"
TASKS = {
    SEQUENCE: ("SEQ_CLS", transformers.AutoModelForSequenceClassification),
    TOKEN: ("TOKEN_CLS", transformers.AutoModelForTokenClassification),
    CAUSAL: ("CAUSAL_LM", transformers.AutoModelForCausalLM),
}
SHARED = dict(
    num_hidden_layers=3,
    hidden_size=48,
    num_attention_heads=4,
    intermediate_size=112,
    vocab_size=211,
    max_position_embeddings=64,
    pad_token_id=0,
)
# shapes that differ in what counts: grouped and single keys, heads of a width of their own, biases, tied and fused weights
CONFIGS = {
    "bert": SHARED,
    "roberta": dict(SHARED, type_vocab_size=1),
    "llama": dict(SHARED, num_key_value_heads=2),
    "mistral": dict(SHARED, num_key_value_heads=1),
    "qwen2": dict(SHARED, num_key_value_heads=2, tie_word_embeddings=True),
    "qwen3": dict(SHARED, num_key_value_heads=2, head_dim=20),
    "gemma2": dict(SHARED, num_key_value_heads=2, head_dim=16),
    "gemma3_text": dict(SHARED, num_key_value_heads=1, head_dim=16),
    "phi3": dict(SHARED, num_key_value_heads=2),
    "gpt2": dict(n_layer=3, n_embd=48, n_head=4, n_inner=112, vocab_size=211, n_positions=64, pad_token_id=0),
}
ALL = "all-linear"
EVERY_LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def lora(**more):
    return peft.LoraConfig(**more)


def tuned(kind, rank, targets, **more):
    """A configuration of LoHa, LoKr or VeRA."""
    return kind(r=rank, target_modules=targets, **more)


def adalora(initial, targets):
    return peft.AdaLoraConfig(init_r=initial, target_r=2, total_step=100, target_modules=targets)


def ia3(targets=None, feedforward=None, **more):
    return peft.IA3Config(target_modules=targets, feedforward_modules=feedforward, **more)


def rows():
    """Base, task, petl's method and options, PEFT's configuration."""
    loha, lokr, vera = peft.LoHaConfig, peft.LoKrConfig, peft.VeraConfig
    prefix, prompt = peft.PrefixTuningConfig, peft.PromptTuningConfig
    yield "bert", SEQUENCE, "lora", dict(rank=5, targets=ALL), lora(r=5, target_modules=ALL)
    yield "bert", SEQUENCE, "lora", dict(rank=4, targets="query,value", rankStabilized=True, rankPattern="query=7"), lora(
        r=4, target_modules=["query", "value"], use_rslora=True, rank_pattern={"query": 7}
    )
    yield "bert", SEQUENCE, "lora", dict(rank=4, targets="word_embeddings,query"), lora(
        r=4, target_modules=["word_embeddings", "query"]
    )
    yield "bert", SEQUENCE, "lora", dict(rank=4, targets=ALL, exclude="query"), lora(
        r=4, target_modules=ALL, exclude_modules=["query"]
    )
    yield "bert", SEQUENCE, "dora", dict(rank=5, targets=ALL), lora(r=5, target_modules=ALL, use_dora=True)
    yield "roberta", SEQUENCE, "dora", dict(rank=3, targets="query,output.dense"), lora(
        r=3, target_modules=["query", "output.dense"], use_dora=True
    )
    yield "qwen3", SEQUENCE, "dora", dict(rank=3, targets=ALL), lora(r=3, target_modules=ALL, use_dora=True)
    yield "phi3", CAUSAL, "dora", dict(rank=3, targets="qkv_proj,gate_up_proj"), lora(
        r=3, target_modules=["qkv_proj", "gate_up_proj"], use_dora=True
    )
    yield "gpt2", SEQUENCE, "lora", dict(rank=3), lora(r=3, fan_in_fan_out=True)
    yield "gemma2", CAUSAL, "lora", dict(rank=3), lora(r=3)
    for base in ("qwen2", "qwen3", "gemma3_text"):
        yield base, CAUSAL, "lora", dict(rank=3, targets=ALL), lora(r=3, target_modules=ALL)
    yield "gpt2", CAUSAL, "lora", dict(rank=3, targets=ALL), lora(r=3, target_modules=ALL, fan_in_fan_out=True)
    for table, task in (("embed_tokens", SEQUENCE), ("lm_head", CAUSAL)):
        yield "llama", task, "lora", dict(rank=3, targets=f"{table},q_proj"), lora(r=3, target_modules=[table, "q_proj"])
    pattern = r".*\.[12]\..*(up|down)_proj"
    yield "llama", CAUSAL, "lora", dict(rank=4, targets=pattern), lora(r=4, target_modules=pattern)
    yield "bert", SEQUENCE, "adalora", dict(rank=2, initialRank=7, targets=ALL), adalora(7, ALL)
    yield "llama", CAUSAL, "adalora", dict(rank=2, initialRank=5, targets="q_proj,v_proj"), adalora(5, ["q_proj", "v_proj"])
    yield "bert", SEQUENCE, "loha", dict(rank=3, targets="query,intermediate.dense"), tuned(
        loha, 3, ["query", "intermediate.dense"]
    )
    yield "llama", CAUSAL, "loha", dict(rank=3, targets="q_proj,k_proj,down_proj", rankPattern="k_proj=5"), tuned(
        loha, 3, ["q_proj", "k_proj", "down_proj"], rank_pattern={"k_proj": 5}
    )
    yield "bert", SEQUENCE, "lokr", dict(rank=2, targets="query,intermediate.dense"), tuned(
        lokr, 2, ["query", "intermediate.dense"]
    )
    yield "llama", CAUSAL, "lokr", dict(rank=2, targets=ALL), tuned(lokr, 2, EVERY_LLAMA)
    yield "llama", CAUSAL, "lokr", dict(rank=9, targets="q_proj,k_proj"), tuned(lokr, 9, ["q_proj", "k_proj"])
    yield "llama", CAUSAL, "lokr", dict(rank=2, targets="q_proj,k_proj", factor=5), tuned(
        lokr, 2, ["q_proj", "k_proj"], decompose_factor=5
    )
    yield "llama", CAUSAL, "lokr", dict(rank=1, targets="q_proj,k_proj,up_proj", factor=6, decomposeBoth=True), tuned(
        lokr, 1, ["q_proj", "k_proj", "up_proj"], decompose_factor=6, decompose_both=True
    )
    yield "bert", SEQUENCE, "vera", dict(rank=6, targets="query,intermediate.dense"), tuned(
        vera, 6, ["query", "intermediate.dense"]
    )
    yield "llama", CAUSAL, "vera", dict(rank=6, targets=ALL), tuned(vera, 6, ALL)
    yield "llama", TOKEN, "vera", dict(rank=3, targets="q_proj"), tuned(vera, 3, ["q_proj"])
    yield "gpt2", CAUSAL, "vera", dict(rank=6, targets="c_attn,mlp.c_proj"), tuned(
        vera, 6, ["c_attn", "mlp.c_proj"], fan_in_fan_out=True
    )
    for base, task in (("bert", SEQUENCE), ("llama", CAUSAL)):
        yield base, task, "ia3", {}, ia3()
    yield "gpt2", CAUSAL, "ia3", {}, ia3(fan_in_fan_out=True)
    roles = ["query", "intermediate.dense", "output.dense"]
    yield "roberta", SEQUENCE, "ia3", dict(targets=",".join(roles), feedforward="output.dense"), ia3(roles, ["output.dense"])
    roles = ["k_proj", "v_proj", "gate_proj", "down_proj"]
    yield "llama", CAUSAL, "ia3", dict(targets=",".join(roles), feedforward="down_proj"), ia3(roles, ["down_proj"])
    yield "bert", SEQUENCE, "prefix", dict(tokens=7), prefix(num_virtual_tokens=7)
    for base in ("llama", "mistral", "gpt2", "qwen3", "gemma2", "gemma3_text"):
        yield base, CAUSAL, "prefix", dict(tokens=7), prefix(num_virtual_tokens=7)
    for base, task in (("llama", CAUSAL), ("bert", TOKEN), ("gpt2", SEQUENCE)):
        yield base, task, "prompt", dict(tokens=7), prompt(num_virtual_tokens=7)
    for base, layers in (("llama", 3), ("mistral", 2)):
        yield base, CAUSAL, "llama-adapter", dict(tokens=4, layers=f"top:{layers}"), peft.AdaptionPromptConfig(
            adapter_len=4, adapter_layers=layers
        )
    for base in ("llama", "gpt2"):
        yield base, CAUSAL, "ln-tuning", {}, peft.LNTuningConfig()
    norms = "attention.output.LayerNorm"
    yield "bert", SEQUENCE, "ln-tuning", dict(targets=norms), peft.LNTuningConfig(target_modules=[norms])


def counted(base, task, config):
    """How many parameters PEFT trains: of the method, and of the head."""
    config.task_type, model_class = TASKS[task]
    own = transformers.AutoConfig.for_model(base, **CONFIGS[base], num_labels=3)
    model = peft.get_peft_model(model_class.from_config(own), config)
    trained = {name: each.numel() for name, each in model.named_parameters() if each.requires_grad}
    head = sum(size for name, size in trained.items() if ".score." in name or ".classifier." in name)
    return sum(trained.values()) - head, head


def lines(items):
    return ",\n  ".join(items)


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    cases = []
    for base, task, method, options, config in rows():
        trained, head = counted(base, task, config)
        cases.append(dict(base=base, task=task, method=method, options=options, trained=trained, head=head))
    bases = {name: dict(model_type=name, **config) for name, config in CONFIGS.items()}
    text = '{\n"bases": {\n  %s\n},\n"cases": [\n  %s\n]\n}\n' % (
        lines(f'"{name}": {json.dumps(config)}' for name, config in bases.items()),
        lines(json.dumps(case) for case in cases),
    )
    (HERE / "counts.json").write_text(text)


if __name__ == "__main__":
    main()

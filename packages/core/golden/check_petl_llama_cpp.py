"""Runs llama.cpp itself with the GGUF adapters that petl writes. Not part of the test run.

    npm run build && python packages/core/golden/check_petl_llama_cpp.py OUT LLAMA_CPP  # xllamacpp==2026.10.11549

The base's checkpoint goes to OUT/<base>.gguf by llama.cpp's own converter (LLAMA_CPP as in gguf_adapters.py), with a vocabulary
of words that are never used, and the adapter to OUT/<adapter> by petl. What llama.cpp gives for the token after each row without
an attention mask must be the distribution of PEFT's logits, and without the adapter that of the base's.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
import xllamacpp

HERE = Path(__file__).resolve().parent
PETL = HERE.parents[1] / "petl" / "bin" / "petl.js"
# float32 sums in another order, log-probabilities are up to 10; GPT-2's GELU is looked up in a table of float16
TOLERANCE = {"gpt2": 5e-3}
USUAL = 1e-4
# left out: Mistral, whose files say Llama, of which llama.cpp knows no window, and Gemma, whose attention it scales as the
# published models do, not by query_pre_attn_scalar
CASES = [
    "llama-lora",
    "llama-lora-all-linear",
    "llama-pissa",
    "qwen2-lora",
    "qwen3-lora",
    "phi3-lora",
    "gpt2-lora",
    "gpt2-lora-all-linear",
]


def main(out, llama_cpp):
    sys.path[1:1] = [llama_cpp, f"{llama_cpp}/gguf-py"]
    worst = 0.0
    for name in CASES:
        golden = json.loads((HERE / "adapters" / name / "golden.json").read_text())
        base = HERE / "models" / golden["base"]
        target = Path(out) / name
        command = ["node", PETL, "convert", "--adapter", HERE / "adapters" / name, "--base", base, "--to", "gguf"]
        subprocess.run([*command, "--out", target, "--overwrite"], check=True, capture_output=True)
        model = Path(out) / f"{base.name}.gguf"
        write_base(base, model)
        rows = json.loads((base / "golden.json").read_text())["rows"]
        distances = []
        for adapter, logits in ((None, golden["base_logits"]), (target / "adapter.gguf", golden["logits"])):
            server = serve(model, adapter)
            for row, wanted in zip(rows, logits):
                if "attention_mask" not in row:
                    found = next_token(server, row["input_ids"], len(wanted[-1]))
                    distances.append((found - torch.log_softmax(torch.tensor(wanted[-1]), -1)).abs().max().item())
        worst = max(worst, *distances)
        print(f"{max(distances):.1e}  {name}", flush=True)
        assert max(distances) < TOLERANCE.get(name.split("-")[0], USUAL), name
    print(f"{len(CASES)} adapters, largest distance {worst:.1e}")


@torch.inference_mode()
def write_base(base, file):
    """The checkpoint as llama.cpp's converter writes it, but for the vocabulary, as there is no tokenizer."""
    import gguf
    from conversion import ModelBase, get_model_class

    config = ModelBase.load_hparams(base, False)
    config.setdefault("n_ctx", config.get("n_positions"))  # the converter knows GPT-2's older name alone
    architecture = get_model_class(config["architectures"][0])

    class Tiny(architecture):
        model_arch = architecture.model_arch

        def set_vocab(self):
            own = ["<unk>", "<s>", "</s>", "<0x0A>", "<|endoftext|>"]
            words = self.hparams["vocab_size"] - len(own)
            kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2, gguf.TokenType.BYTE]
            self.gguf_writer.add_tokenizer_model("llama")
            self.gguf_writer.add_token_list([*own, *(f"w{at}" for at in range(words))])
            self.gguf_writer.add_token_scores([0.0] * self.hparams["vocab_size"])
            self.gguf_writer.add_token_types([*kinds, *[gguf.TokenType.NORMAL] * (words + 1)])

        def set_gguf_parameters(self):
            super().set_gguf_parameters()
            if config.get("n_inner"):  # the converter takes GPT-2's for four times the hidden size
                self.gguf_writer.add_feed_forward_length(config["n_inner"])

    Tiny(base, gguf.LlamaFileType.ALL_F32, file, eager=True, hparams=config).write()


def serve(model, adapter):
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.cpuparams.n_threads = 1
    params.n_ctx, params.n_parallel, params.n_gpu_layers, params.verbosity = 64, 1, 0, 0
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    if adapter:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    return xllamacpp.Server(params)


def next_token(server, ids, size):
    """The log-probabilities of every token behind the given ones."""
    asked = dict(prompt=ids, n_predict=1, n_probs=size, temperature=0, cache_prompt=False)
    (place,) = server.handle_completions(asked)["choices"][0]["logprobs"]["content"]
    found = torch.full((size,), torch.nan)
    for token in place["top_logprobs"]:
        found[token["id"]] = token["logprob"]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])

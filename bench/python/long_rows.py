"""LoRA steps on long rows with PEFT: seconds a step and peak memory. bench/long-rows.mjs drives it."""

import argparse
import json
import resource
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--base", required=True)
parser.add_argument("--rows", required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--checkpointing", action="store_true")
args = parser.parse_args()

torch.set_num_threads(args.threads)
imports = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
model = AutoModelForCausalLM.from_pretrained(args.base, attn_implementation="sdpa", dtype=torch.float32)
if args.checkpointing:
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0)
rows = [json.loads(line)["input_ids"] for line in open(args.rows)]
begin = time.perf_counter()
for step in range(args.steps):
    ids = torch.tensor([rows[step % len(rows)]])
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
seconds = (time.perf_counter() - begin) / args.steps
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds_per_step": seconds, "peak_rss_bytes": peak, "imports_bytes": imports, "loss": loss.item()}))

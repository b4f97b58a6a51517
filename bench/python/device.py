"""LoRA steps of PEFT on a CUDA card: milliseconds a step. bench/device.mjs drives it."""

import argparse
import json
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification

parser = argparse.ArgumentParser()
parser.add_argument("--base", required=True)
parser.add_argument("--rows", required=True)
parser.add_argument("--batch", type=int, required=True)
args = parser.parse_args()

if not torch.cuda.is_available():
    raise SystemExit("torch sees no CUDA card")
model = AutoModelForSequenceClassification.from_pretrained(args.base, num_labels=2, attn_implementation="sdpa")
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], task_type="SEQ_CLS")).cuda()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
rows = [json.loads(line) for line in open(args.rows)]
times = []
for start in range(0, len(rows), args.batch):
    batch = rows[start : start + args.batch]
    begin = time.perf_counter()
    ids = torch.tensor([row["input_ids"] for row in batch]).cuda()
    model(input_ids=ids, labels=torch.tensor([row["label"] for row in batch]).cuda()).loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    torch.cuda.synchronize()
    times.append(1000 * (time.perf_counter() - begin))
print(json.dumps({"ms_per_step": sum(times[1:]) / max(1, len(times) - 1)}))

"""Trainer with PEFT on one labelled set: accuracy on the held rows and the wall time of the whole process.

    python bench/python/accuracy_time.py --base FOLDER --train rows.jsonl --test rows.jsonl --seed 0 [--lr 2e-3] [--epochs 3]

Rows are {"text", "label"}. What makes Trainer fast on a processor is on: dynamic padding, rows of similar length together,
scaled-dot-product attention, float32, no evaluation and no checkpoint in between.
"""

import time

BEGIN = time.perf_counter()

import argparse
import json
import resource
import tempfile

import numpy as np
import torch
import transformers
from peft import LoraConfig, get_peft_model

parser = argparse.ArgumentParser()
parser.add_argument("--base", required=True)
parser.add_argument("--train", required=True)
parser.add_argument("--test", required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=2e-3)
parser.add_argument("--epochs", type=float, default=3)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()

torch.set_num_threads(args.threads)
transformers.set_seed(args.seed)
read = lambda path: [json.loads(line) for line in open(path)]
train, test = read(args.train), read(args.test)
labels = sorted({str(row["label"]) for row in train})
tokenizer = transformers.AutoTokenizer.from_pretrained(args.base)


def tokens(rows):
    found = tokenizer([row["text"] for row in rows], truncation=True, max_length=256)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": labels.index(str(row["label"]))}
        for ids, mask, row in zip(found["input_ids"], found["attention_mask"], rows)
    ]


model = transformers.AutoModelForSequenceClassification.from_pretrained(
    args.base, num_labels=len(labels), attn_implementation="sdpa", dtype=torch.float32
)
model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"], task_type="SEQ_CLS"))
grouping = {"train_sampling_strategy": "group_by_length"}
if "train_sampling_strategy" not in transformers.TrainingArguments.__dataclass_fields__:
    grouping = {"group_by_length": True}
with tempfile.TemporaryDirectory() as folder:
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=64,
            num_train_epochs=args.epochs,
            learning_rate=args.lr,
            warmup_steps=0.1,
            lr_scheduler_type="linear",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            seed=args.seed,
            use_cpu=True,
            **grouping,
        ),
        train_dataset=tokens(train),
        processing_class=tokenizer,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    trained, cpu = time.perf_counter() - BEGIN, time.process_time()
    # rows of similar length go together here too, so the answers stand in another order than the rows
    found = trainer.predict(tokens(test))
print(
    json.dumps(
        {
            "accuracy": float((np.argmax(found.predictions, -1) == found.label_ids).mean()),
            "seconds": trained,
            "cpu_seconds": cpu,
            "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
)

"""Holds petl's tokens and label masks of conversations against transformers' and TRL's. Not part of the test run.

    pip install "trl==1.16.0"; npm run build
    python packages/core/golden/check_chats.py OUT

Takes every template that TRL ships, with a tokenizer of bytes to which the template's own marks are added as tokens. Of
each conversation the tokens must be those of apply_chat_template. What is learnt must be, token by token, what the template
marks with {% generation %}; of a template without marks what TRL's marked variant of it says, where that writes the same
tokens; of a prompt and a completion what TRL's trainer counts: everything behind the prompt with its generation prompt.
The generation prompt itself, and blanks and the template's own end behind a turn, may count or not. Lists of parts that a
template does not read, being written as Python writes lists, are read as their texts.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import trl
from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerFast

from tiny import HERE

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
MARK = re.compile(r"<[|｜/]?[A-Za-z_▁｜][\w▁ .-]{0,40}[|｜]?>|\[/?[A-Z_]{3,20}\]")
BOS, EOS = "<s>", "</s>"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "the weather of a place",
            "parameters": {
                "type": "object",
                "properties": {"place": {"type": "string", "description": "its name"}},
                "required": ["place"],
            },
        },
    }
]


def said(role, content, **more):
    return {"role": role, "content": content, **more}


CALL = {"type": "function", "function": {"name": "weather", "arguments": {"place": "Rome"}}}
CONVERSATIONS = {
    "one turn": {"messages": [said("user", "How are you?"), said("assistant", "Well, thanks.")]},
    "system": {"messages": [said("system", "Be brief."), said("user", "Hello"), said("assistant", "Hi")]},
    "turns": {
        "messages": [
            *[said("system", "Be kind."), said("user", "one"), said("assistant", "two"), said("user", "three")],
            *[said("assistant", "four\n\nfive"), said("user", "six"), said("assistant", "seven")],
        ]
    },
    "turns without system": {
        "messages": [said("user", "a"), said("assistant", " b "), said("user", "c"), said("assistant", "d")]
    },
    "parts": {
        "messages": [
            said("user", [{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}]),
            said("assistant", [{"type": "text", "text": "A text."}]),
        ]
    },
    "tools": {
        "messages": [
            said("user", "How is it in Rome?"),
            said("assistant", "", tool_calls=[CALL]),
            said("tool", "sunny", name="weather"),
            said("assistant", "It is sunny."),
        ],
        "tools": TOOLS,
    },
    "thinking": {
        "messages": [
            *[said("user", "1+1?"), said("assistant", "<think>\nadd\n</think>\n\n2")],
            *[said("user", "2+2?"), said("assistant", "<think>\nagain\n</think>\n\n4")],
        ]
    },
    "completion": {"prompt": [said("user", "say it")], "completion": [said("assistant", "it")]},
    "completion after turns": {
        "prompt": [said("system", "Yes."), said("user", "a"), said("assistant", "b"), said("user", "c")],
        "completion": [said("assistant", "d e f")],
    },
}


def tokenizer_of(template):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(HERE / "tokenizer/tiny-bytes.json"))
    marks = {mark for mark in MARK.findall(template) if mark not in (BOS, EOS)}
    tokenizer.add_special_tokens({"bos_token": BOS, "eos_token": EOS, "additional_special_tokens": sorted(marks)})
    tokenizer.chat_template = template
    return tokenizer


def rendered(tokenizer, messages, **more):
    def written(some):
        return tokenizer.apply_chat_template(some, tokenize=True, return_dict=True, **more)

    texts = [as_texts(message) for message in messages]
    if texts == messages:
        return written(messages if reads(written, tokenizer, "probe") else [as_parts(message) for message in messages])
    try:
        found = written(messages)
        said = all(text["content"] in tokenizer.decode(found["input_ids"]) for text in texts)
        return found if said or reads(written, tokenizer, PARTS) else written(texts)
    except (TypeError, TemplateError):
        return written(texts)


def as_texts(message):
    parts = message["content"]
    return {**message, "content": "".join(part["text"] for part in parts)} if isinstance(parts, list) else message


def as_parts(message):
    """As TRL's trainer gives texts to templates that read lists of parts alone."""
    return {**message, "content": [{"type": "text", "text": message["content"]}]}


PARTS = [{"type": "text", "text": "probe"}]


def reads(written, tokenizer, content):
    """Whether the template writes such a content as what it says."""
    try:
        text = tokenizer.decode(written([said("user", content)])["input_ids"])
    except (TypeError, TemplateError):
        return content == "probe" and not reads(written, tokenizer, PARTS)
    return ("probe" in text and not re.search("['\"]type['\"]", text)) or (
        content == "probe" and not reads(written, tokenizer, PARTS)
    )


def generation_prompt(tokenizer):
    try:
        texts = [tokenizer.decode(rendered(tokenizer, [said("user", "a")], add_generation_prompt=on)["input_ids"]) for on in (False, True)]
        return texts[1].removeprefix(texts[0])
    except Exception:
        return ""


def marks(tokenizer):
    return re.search(r"\{%-?\s*generation", tokenizer.chat_template) is not None


def expected(tokenizer, conversation):
    """Ids and mask as transformers and TRL have them; the mask is None where the template marks nothing; a text: refused."""
    tools = conversation.get("tools")
    try:
        if "messages" in conversation:
            marked = marks(tokenizer)
            found = rendered(tokenizer, conversation["messages"], tools=tools, return_assistant_tokens_mask=marked)
            return found["input_ids"], found.get("assistant_masks")
        prompt, completion = conversation["prompt"], conversation["completion"]
        ids = rendered(tokenizer, prompt + completion, tools=tools)["input_ids"]
        before = rendered(tokenizer, prompt, tools=tools, add_generation_prompt=True)["input_ids"]
        if ids[: len(before)] != before or marks(tokenizer):
            return ids, None  # TRL warns that its mask is wrong then; what is marked counts
        return ids, [0] * len(before) + [1] * (len(ids) - len(before))
    except Exception as error:  # whatever a template says
        return f"{type(error).__name__}: {error}", None


def plainly_equal(tokenizer, ids, ours, theirs):
    """Whether two masks differ only in blanks and ends behind a turn."""
    if ours == theirs:
        return True
    for at, (one, other) in enumerate(zip(ours, theirs)):
        if one == other:
            continue
        end = at
        while end < len(ids) and ours[end] != theirs[end]:
            end += 1
        begin = at
        while begin > 0 and ours[begin - 1] != theirs[begin - 1]:
            begin -= 1
        text = tokenizer.decode(ids[begin:end])
        if theirs[at] and text.strip("\n") in generation_prompt(tokenizer):
            continue
        behind = begin > 0 and (ours[begin - 1] or theirs[begin - 1])
        if not behind or not re.fullmatch(r"(\s|<[^>]*>|\[[^\]]*\])*", text):
            return False
    return True


def main(out):
    folders = {}
    for path in sorted(TEMPLATES.glob("*.jinja")):
        tokenizer = tokenizer_of(path.read_text())
        folder = Path(out) / path.stem
        tokenizer.save_pretrained(folder)
        (folder / "conversations.jsonl").write_text("".join(json.dumps(c) + "\n" for c in CONVERSATIONS.values()))
        folders[path.stem] = (folder, tokenizer)
    script = HERE / "chat_rows.mjs"
    subprocess.run(["node", str(script), *[str(folder) for folder, _ in folders.values()]], check=True)
    counts, problems = {"equal": 0, "turn by turn": 0, "refused by both": 0}, []
    for name, (folder, tokenizer) in folders.items():
        answers = json.loads((folder / "petl.json").read_text())
        variant = folders.get(f"{name}_training", (None, None))[1]
        for (title, conversation), answer in zip(CONVERSATIONS.items(), answers):
            problem = compare(tokenizer, variant, conversation, answer, counts)
            if problem and (name, title) not in KNOWN:
                problems.append(f"{name}, {title}: {problem}")
    for problem in problems:
        print(problem)
    print(f"{len(folders)} templates, {len(CONVERSATIONS)} conversations: {counts}, {len(problems)} differences")
    sys.exit(1 if problems else 0)


# a model's turn that goes on behind a tool's answer has no generation prompt of its own there
KNOWN = [("diffusion_gemma", "tools"), ("deepseek_r1_distill", "tools")]


def compare(tokenizer, variant, conversation, answer, counts):
    ids, mask = expected(tokenizer, conversation)
    if isinstance(ids, str) or "refused" in answer:
        if isinstance(ids, str) and "refused" in answer:
            counts["refused by both"] += 1
            return None
        return f"transformers: {ids if isinstance(ids, str) else 'written'}; petl: {answer.get('refused', 'written')[:200]}"
    if mask is None and variant:
        other, theirs = expected(variant, conversation)
        mask = theirs if other == ids else None
    rows = answer["rows"]
    if len(rows) > 1:
        counts["turn by turn"] += 1
        return None if rows[-1]["ids"] == ids else f"the last row is {tokenizer.decode(rows[-1]['ids'])!r}, not {tokenizer.decode(ids)!r}"
    ours = rows[0]
    if ours["ids"] != ids:
        return f"tokens: {tokenizer.decode(ours['ids'])!r}, not {tokenizer.decode(ids)!r}"
    if mask is not None and not plainly_equal(tokenizer, ids, ours["learnt"], mask):
        shown = [tokenizer.decode([i for i, on in zip(ids, m) if on]) for m in (ours["learnt"], mask)]
        return f"learnt: {shown[0]!r}, not {shown[1]!r}"
    counts["equal"] += 1
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Conversations as transformers' apply_chat_template writes them.

Writes chat/golden.json: `templates` by name, `conversations` by name, and `texts`: for a template and a conversation the
`text`, that with the prompt of a reply, or `refused`, what the template says of the conversation.

    python packages/core/golden/chat.py        (reads tokenizer/tiny-bytes.json)
"""

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerFast

from tiny import HERE, write_json

OUT = HERE / "chat" / "golden.json"

TEMPLATES = {
    "marked turns": (
        "{% for message in messages %}"
        "{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>' + '\\n' }}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
    ),
    "lines and blanks": """{{ bos_token }}
{%- set own = namespace(system='be brief', turns=0) %}
{% if messages[0].role == 'system' %}
    {% set own.system = messages[0].content | trim %}
    {% set messages = messages[1:] %}
{% endif %}
<<{{ own.system }}>>
{% for message in messages %}
    {% if (message.role == 'user') != (loop.index0 % 2 == 0) %}
        {{ raise_exception('turns have to alternate, not begin with ' ~ message.role) }}
    {% endif %}
    {% set own.turns = own.turns + 1 %}
    {%- if message.role == 'user' -%}
        [Q{{ loop.index }}] {{ message.content }}
    {%- else %} {# the answer #}
        [A] {{ message.content | upper if loop.last else message.content }}{{ eos_token }}
    {%- endif %}

{% endfor %}
{{ own.turns }} of {{ messages | length }}
{% if add_generation_prompt and not loop is defined %}[A]{% endif %}
""",
    "macros, tests and JSON": (
        "{% macro part(item, mark='-') %}{{ mark }}{{ item.text if item is mapping else item }}{% endmacro %}"
        "{% for message in messages if message.role != 'system' %}"
        "{% if message.content is string %}{{ part(message.content) }}"
        "{% else %}{% for item in message.content or [] %}{{ part(item, mark='*') }}{% endfor %}{% endif %}"
        "{% if message.tool_calls is defined and message.tool_calls %}"
        "{% for call in message.tool_calls %}{{ call | tojson }}{% endfor %}{% endif %}"
        "{{ '\\n' if not loop.last else '' }}"
        "{% endfor %}"
        "{{ messages | map(attribute='role') | join('>') }}"
        "{% for i in range(2) %}{{ i }}{% endfor %}"
    ),
    "strings": (
        "{%- for message in messages %}"
        "{%- set text = message.content.strip() %}"
        "{%- if '</think>' in text %}{%- set text = text.split('</think>')[-1].lstrip('\\n') %}{%- endif %}"
        "{{- message.role.capitalize() ~ ': ' ~ text.replace('a', 'A')[:12] ~ (', ' if not loop.last else '.') }}"
        "{%- endfor %}"
    ),
}

CONVERSATIONS = {
    "one question": [{"role": "user", "content": "What is tall?"}],
    "a system and two turns": [
        {"role": "system", "content": "  Answer as a sailor. "},
        {"role": "user", "content": "Where is the café?\nNear?"},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nBehind the harbour, mate."},
        {"role": "user", "content": " Thanks 😀 "},
        {"role": "assistant", "content": "Ahoy & \"farewell\"!"},
    ],
    "an answer first": [{"role": "assistant", "content": "I begin."}, {"role": "user", "content": "No."}],
    "a tool": [
        {"role": "user", "content": "add 2 and 2"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"name": "add", "arguments": {"a": 2, "b": 2.5, "deep": [True, None, "ü<"]}}],
        },
    ],
}


def texts(tokenizer):
    for template_name, template in TEMPLATES.items():
        for name, messages in CONVERSATIONS.items():
            entry = {"template": template_name, "conversation": name}
            how = dict(chat_template=template, tokenize=False)
            try:
                whole = tokenizer.apply_chat_template(messages, **how)
                reply = tokenizer.apply_chat_template(messages, add_generation_prompt=True, **how)
                yield {**entry, "text": whole, "reply": reply}
            except TemplateError as error:
                yield {**entry, "refused": str(error)}


def main():
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(HERE / "tokenizer" / "tiny-bytes.json"), bos_token="<s>", eos_token="</s>"
    )
    write_json(OUT, {"templates": TEMPLATES, "conversations": CONVERSATIONS, "texts": list(texts(tokenizer))})


if __name__ == "__main__":
    main()

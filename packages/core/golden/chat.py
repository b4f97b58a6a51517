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

# Constructs of the common families' templates, each written anew: the order of turns, tools, thinking, lists of parts.
TEMPLATES |= {
    "ChatML with tools": (
        "{%- if tools %}\n"
        "    {{- '<|im_start|>system\\n' }}\n"
        "    {%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] }}{%- else %}{{- 'Help.' }}{%- endif %}\n"
        "    {{- '\\n\\n# Tools\\n<tools>' }}\n"
        "    {%- for tool in tools %}\n        {{- '\\n' }}\n        {{- tool | tojson }}\n    {%- endfor %}\n"
        "    {{- '\\n</tools><|im_end|>\\n' }}\n"
        "{%- else %}\n"
        "    {%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{%- endif %}\n"
        "{%- endif %}\n"
        "{%- for message in messages %}\n"
        "    {%- if (message.role == 'user') or (message.role == 'system' and not loop.first) or (message.role == 'assistant' and not message.tool_calls) %}\n"
        "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n"
        "    {%- elif message.role == 'assistant' %}\n"
        "        {{- '<|im_start|>' + message.role }}\n"
        "        {%- if message.content %}{{- '\\n' + message.content }}{%- endif %}\n"
        "        {%- for tool_call in message.tool_calls %}\n"
        "            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}\n"
        "            {{- '\\n<tool_call>\\n{\"name\": \"' }}{{- tool_call.name }}{{- '\", \"arguments\": ' }}{{- tool_call.arguments | tojson }}{{- '}\\n</tool_call>' }}\n"
        "        {%- endfor %}\n"
        "        {{- '<|im_end|>\\n' }}\n"
        "    {%- elif message.role == 'tool' %}\n"
        "        {%- if loop.index0 == 0 or messages[loop.index0 - 1].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}\n"
        "        {{- '\\n<tool_response>\\n' ~ message.content ~ '\\n</tool_response>' }}\n"
        "        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}\n"
    ),
    "thinking that goes": (
        "{%- set ns = namespace(seen=false, last=messages|length - 1) %}\n"
        "{%- for message in messages[::-1] %}\n"
        "    {%- set index = (messages|length - 1) - loop.index0 %}\n"
        "    {%- if not ns.seen and message.role == 'user' and message.content is string and not (message.content.startswith('<r>') and message.content.endswith('</r>')) %}\n"
        "        {%- set ns.seen = true %}{%- set ns.last = index %}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
        "{%- for message in messages %}\n"
        "    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}\n"
        "    {%- if message.role == 'assistant' %}\n"
        "        {%- set reasoning = '' %}\n"
        "        {%- if message.reasoning_content is string %}{%- set reasoning = message.reasoning_content %}\n"
        "        {%- elif '</think>' in content %}\n"
        "            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}\n"
        "            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}\n"
        "        {%- endif %}\n"
        "        {%- if loop.index0 > ns.last and (loop.last or reasoning) %}\n"
        "            {{- '<|im_start|>assistant\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}\n"
        "        {%- else %}{{- '<|im_start|>assistant\\n' + content }}{%- endif %}\n"
        "    {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}\n"
        "    {{- '<|im_end|>\\n' }}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}\n"
    ),
    "headers and a date": (
        "{{- bos_token }}\n"
        "{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = strftime_now('%d %b %Y')[:0] ~ 'today' %}{%- endif %}{%- endif %}\n"
        "{%- if not tools is defined %}{%- set tools = none %}{%- endif %}\n"
        "{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}{%- else %}{%- set system_message = '' %}{%- endif %}\n"
        "{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}\n"
        "{%- if tools is not none %}{{- 'Environment: ipython\\n' }}{%- endif %}\n"
        "{{- 'Today Date: ' + date_string + '\\n\\n' }}{{- system_message }}{{- '<|eot_id|>' }}\n"
        "{%- for message in messages %}\n"
        "    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}\n"
        "        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n"
        "    {%- elif 'tool_calls' in message %}\n"
        "        {%- if not message.tool_calls|length == 1 %}{{- raise_exception('one call at a time') }}{%- endif %}\n"
        "        {%- set tool_call = message.tool_calls[0].function or message.tool_calls[0] %}\n"
        "        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}\n"
        "        {%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '=\"' ~ arg_val ~ '\"' }}{%- if not loop.last %}{{- ', ' }}{%- endif %}{%- endfor %}\n"
        "        {{- '<|eot_id|>' }}\n"
        "    {%- elif message.role == 'tool' %}\n"
        "        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}\n"
    ),
    "turns that must alternate": (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"
    ),
    "system in the first turn, parts": (
        "{{ bos_token }}\n"
        "{%- if messages[0]['role'] == 'system' -%}\n"
        "    {%- if messages[0]['content'] is string -%}{%- set prefix = messages[0]['content'] + '\\n\\n' -%}{%- else -%}{%- set prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- endif -%}\n"
        "    {%- set loop_messages = messages[1:] -%}\n"
        "{%- else -%}{%- set prefix = '' -%}{%- set loop_messages = messages -%}{%- endif -%}\n"
        "{%- for message in loop_messages -%}\n"
        "    {%- if (message['role'] == 'assistant') -%}{%- set role = 'model' -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}\n"
        "    {{ '<start_of_turn>' + role + '\\n' + (prefix if loop.first else '') }}\n"
        "    {%- if message['content'] is string -%}{{ message['content'] | trim }}\n"
        "    {%- elif message['content'] is iterable -%}\n"
        "        {%- for item in message['content'] -%}\n"
        "            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}\n"
        "        {%- endfor -%}\n"
        "    {%- else -%}{{ raise_exception('Invalid content type') }}{%- endif -%}\n"
        "    {{ '<end_of_turn>\\n' }}\n"
        "{%- endfor -%}\n"
        "{%- if add_generation_prompt -%}{{'<start_of_turn>model\\n'}}{%- endif -%}\n"
    ),
    "system with the last question": (
        "{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}\n"
        "{%- set user_messages = loop_messages | selectattr('role', 'equalto', 'user') | list %}\n"
        "{{- bos_token }}\n"
        "{%- for message in loop_messages %}\n"
        "    {%- if message['role'] == 'user' %}\n"
        "        {%- if tools is not none and (message == user_messages[-1]) %}{{- '[AVAILABLE_TOOLS] ' }}{{- tools | map(attribute='function') | map(attribute='name') | join(', ') }}{{- '[/AVAILABLE_TOOLS]' }}{%- endif %}\n"
        "        {%- if loop.last and system_message is defined %}{{- '[INST] ' + system_message + '\\n\\n' + message['content'] + '[/INST]' }}\n"
        "        {%- else %}{{- '[INST] ' + message['content'] + '[/INST]' }}{%- endif %}\n"
        "    {%- elif message['role'] == 'assistant' and message.content %}{{- ' ' + message['content'] + eos_token }}\n"
        "    {%- elif message.tool_calls is defined and message.tool_calls is not none %}{{- '[TOOL_CALLS] ' ~ message.tool_calls | map(attribute='name') | list }}\n"
        "    {%- endif %}\n"
        "{%- endfor %}\n"
    ),
    "an end behind all": (
        "{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
    ),
    "separators": (
        "{% for message in messages %}{% if message['role'] == 'system' %}{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}"
        "{% elif message['role'] == 'user' %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}"
        "{% elif message['role'] == 'assistant' %}{{'<|im_start|>assistant<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}"
    ),
    "a default system": (
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are kind<|im_end|>\n' }}{% endif %}"
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "lines of CR LF": (
        "{% for message in messages %}\r\n{% if message['role'] == 'user' %}\r\n{{ '<|user|>\r\n' + message['content'] + eos_token }}\r\n"
        "{% elif message['role'] == 'system' %}\r\n{{ '<|system|>\n' + message['content'] + eos_token }}\r\n"
        "{% elif message['role'] == 'assistant' %}\r\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\r\n{% endif %}\r\n"
        "{% if loop.last and add_generation_prompt %}\r\n{{ '<|assistant|>' }}\r\n{% endif %}\r\n{% endfor %}\r\n"
    ),
    "what the assistant generates": (
        "{%- for message in messages %}\n"
        "    {%- if message.role == 'assistant' %}\n"
        "        {{- '<|im_start|>assistant\\n' }}\n"
        "        {% generation %}\n"
        "        {{- message.content + '<|im_end|>' }}\n"
        "        {% endgeneration %}\n"
        "        {{- '\\n' }}\n"
        "    {%- else %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}\n"
        "{%- endfor %}\n"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}\n"
    ),
    "Python's values": (
        "{% set own = namespace(n=0) %}{% for message in messages %}{% set own.n = own.n + 1 %}{% if loop.first %}{% set kept = 'kept' %}{% endif %}[{{ kept }}]"
        "{{ message.nothing }}|{{ none }}|{{ true }}|{{ 7 // 2 }}|{{ -7 % 3 }}|{{ 1 / 2 }}|{{ [1, 'a\\'b', none, 2.0] }}|{{ {'k': true} }}|{{ 'x' * 3 }}|{{ '%s-%d' % ('a', 2) }}|"
        "{{ '' == 0 }}|{{ '1' == 1 }}|{{ 1 == 1.0 }}|{{ nothing == none }}|{{ 'b' in {'b': 1} }}|{{ 2 in [1, 2.0] }}|{{ message.role ~ own.n ~ none }}|"
        "{{ 'ab,c,d'.split(',', 1) }}|{{ 'a b  c'.split() }}|{{ 'xxaxx'.strip('x') }}|{{ 'hELLO wORLD'.title() }}|{{ 'hELLO'.capitalize() }}|{{ '-'.join(['a', 'b']) }}|{{ 'a-b-c'.rsplit('-', 1) }}|"
        "{{ [3, 1, 2] | sort | join('<') }}|{{ 'abc'[::-1] }}|{{ [1, 2, 3][-2:] }}|{{ 'abc' | first }}|{{ [] | last }}|{{ missing | default('d') }}|{{ '' | default('e', true) }}|{{ 'a' is in ['a'] if false else 'no' }}|"
        "{{ messages | map(attribute='role') | unique | list }}|{{ {'b': [1, {'c': none}], 'a': 'é'} | tojson(indent=2) }}|{{ 'ends' is defined and nothing is not defined }}|{{ '  t ' | trim | length }}|{{ range(3) | list }}|{{ 'line\\nline' | indent(2) }}|{{ 3.5 | int }}|{{ '12' | int + 1 }}|{{ dict(a=1) | length }}\n{% endfor %}"
    ).replace("{{ 'a' is in ['a'] if false else 'no' }}|", ""),
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
    "calls and answers": [
        {"role": "system", "content": "Use tools."},
        {"role": "user", "content": "Weather in Rome?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome", "days": 2}}}],
        },
        {"role": "tool", "content": "sunny"},
        {"role": "tool", "content": "dry"},
        {"role": "assistant", "content": "\n\nIt is sunny. "},
    ],
    "parts": [
        {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is it? "}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
    ],
    "thinking twice": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "<think>\nfirst\n</think>\n\nb"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "<think>\nsecond\n</think>\n\n    d\n"},
    ],
    "code that begins with blanks": [
        {"role": "user", "content": "write it"},
        {"role": "assistant", "content": "\n    x = 1\n    y = 2\n"},
    ],
}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a \"city\" <b>",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
        },
    }
]


def texts(tokenizer):
    for template_name, template in TEMPLATES.items():
        for name, messages in CONVERSATIONS.items():
            entry = {"template": template_name, "conversation": name}
            how = dict(chat_template=template, tokenize=False)
            if "tools" in template:
                entry["tools"] = True
                how["tools"] = TOOLS
            try:
                whole = tokenizer.apply_chat_template(messages, **how)
                reply = tokenizer.apply_chat_template(messages, add_generation_prompt=True, **how)
                yield {**entry, "text": whole, "reply": reply}
            except (TemplateError, TypeError) as error:
                yield {**entry, "refused": str(error)}


def main():
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(HERE / "tokenizer" / "tiny-bytes.json"), bos_token="<s>", eos_token="</s>"
    )
    write_json(OUT, {"templates": TEMPLATES, "conversations": CONVERSATIONS, "tools": TOOLS, "texts": list(texts(tokenizer))})


if __name__ == "__main__":
    main()

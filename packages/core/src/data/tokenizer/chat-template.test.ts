import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { chatTemplate } from "./chat-template.ts";

const message = z.looseObject({ role: z.string() });
const { templates, conversations, texts } = z
  .object({
    templates: z.record(z.string(), z.string()),
    conversations: z.record(z.string(), z.array(message)),
    texts: z.array(
      z.object({
        ...{ template: z.string(), conversation: z.string() },
        ...{ text: z.string().optional(), reply: z.string().optional(), refused: z.string().optional() },
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../../golden/chat/golden.json", import.meta.url), "utf8")));
const tokens = { bos_token: "<s>", eos_token: "</s>" };

test.each(texts)(
  "$template, $conversation: written as in Python",
  ({ template, conversation, text, reply, refused }) => {
    const write = chatTemplate(templates[template] ?? "", tokens);
    const messages = conversations[conversation] ?? [];
    if (refused !== undefined) return expect(() => write(messages)).toThrow(`the chat template failed: ${refused}`);
    expect(write(messages)).toBe(text);
    expect(write(messages, { reply: true })).toBe(reply);
  },
);

const hostile = [
  [
    "a loop that goes on and on",
    `{% for a in range(9999) %}{{ 1${" + 1".repeat(99)} }}{% endfor %}`,
    "more than 200000 steps",
  ],
  [
    "a list that is too long",
    "{% for a in range(1000000000) %}{% endfor %}",
    "it counts to 1000000000; 10000 is the most",
  ],
  [
    "a text that doubles",
    "{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "more than 4000000 characters",
  ],
  [
    "a list that doubles",
    "{% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "a list of more than 10000 items",
  ],
  [
    "a macro that calls itself",
    "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
    "the chat template failed",
  ],
  ["a call of what is nowhere", "{{ nothing() }}", "the chat template failed"],
  ["the host's objects", "{{ messages.constructor.constructor('return 1')() }}", "the chat template failed"],
] as const;

test.each(hostile)("%s: the template is refused", (_, source, reason) => {
  expect(() => chatTemplate(source, tokens)([{ role: "user", content: "a" }])).toThrow(reason);
});

test("what is no template, or too large a one, is refused when it is read", () => {
  expect(() => chatTemplate("{% for %}", tokens)).toThrow("the chat template can't be read");
  expect(() => chatTemplate("x".repeat(70_000), tokens)).toThrow("70000 characters; 65536 are allowed");
  expect(() => chatTemplate(`a${" ".repeat(2000)}`, tokens)).toThrow("1000 blanks in a row");
});

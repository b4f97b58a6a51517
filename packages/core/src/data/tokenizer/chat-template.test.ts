import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { chatTemplate } from "./chat-template.ts";

const message = z.looseObject({ role: z.string() });
const { templates, conversations, tools, texts } = z
  .object({
    templates: z.record(z.string(), z.string()),
    tools: z.array(z.unknown()),
    conversations: z.record(z.string(), z.array(message)),
    texts: z.array(
      z.object({
        template: z.string(),
        conversation: z.string(),
        tools: z.boolean().optional(),
        text: z.string().optional(),
        reply: z.string().optional(),
        refused: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../../golden/chat/golden.json", import.meta.url), "utf8")));
const tokens = { bos_token: "<s>", eos_token: "</s>" };

test.each(texts)(
  "$template, $conversation: written as in Python",
  ({ template, conversation, text, reply, refused, tools: with_ }) => {
    const write = chatTemplate(templates[template] ?? "", tokens);
    const messages = conversations[conversation] ?? [];
    const options = with_ ? { tools } : {};
    if (refused !== undefined) {
      const own = templates[template]?.includes(refused.slice(0, 20)); // others are Python's own words
      return expect(() => write(messages, options)).toThrow(`the chat template failed: ${own ? refused : ""}`);
    }
    expect(write(messages, options)).toBe(text);
    expect(write(messages, { ...options, reply: true })).toBe(reply);
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

test("the tag generation marks what the assistant says, and is nothing otherwise", () => {
  const write = chatTemplate(templates["what the assistant generates"] ?? "", tokens);
  const messages = conversations["a system and two turns"] ?? [];
  const marked = write(messages, { marks: true });
  expect([...marked.matchAll(/\ue000([^\ue001]*)\ue001/g)].map(([, said]) => said?.trim())).toEqual(
    messages.filter(({ role }) => role === "assistant").map(({ content }) => `${content}<|im_end|>`),
  );
  expect(marked.replace(/[\ue000\ue001]/g, "")).toBe(write(messages));
});

test("a message's fields that are null, as a table's are, are not there; whole numbers of 64 bits are numbers", () => {
  const write = chatTemplate("{% for m in messages %}{{ m.tool_calls is defined }} {{ m.n + 1 }}{% endfor %}", tokens);
  expect(write([{ role: "user", content: null, tool_calls: null, n: 41n } as { role: string }])).toBe("False 42");
});

test("the present is what it is said to be, in the form that a template asks for", () => {
  const write = chatTemplate("{{ strftime_now('%d %b %Y, %A %-d %B %H:%M:%S %j') }}", tokens);
  const now = new Date(2025, 1, 3, 4, 5, 6);
  expect(write([], { now })).toBe("03 Feb 2025, Monday 3 February 04:05:06 034");
});

test("what is no template, or too large a one, is refused when it is read", () => {
  expect(() => chatTemplate("{% for %}", tokens)).toThrow("the chat template can't be read");
  expect(() => chatTemplate("x".repeat(70_000), tokens)).toThrow("70000 characters; 65536 are allowed");
  expect(() => chatTemplate(`a${" ".repeat(2000)}`, tokens)).toThrow("1000 blanks in a row");
});

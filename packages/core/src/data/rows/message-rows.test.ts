import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { causalLm } from "../../objectives/causal-lm.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { encodeExamples } from "./encode.ts";
import { ignoredLabel } from "./examples.ts";
import { feedRows } from "./fed-rows.ts";
import { labelMap } from "./labels.ts";
import { guessTask } from "./task.ts";

const none = labelMap([]); // of tasks without classes

const json = readFileSync(new URL("../../../golden/tokenizer/tiny-bytes.json", import.meta.url), "utf8");
const marked =
  "{% for message in messages %}{{ '<s>' + message.role + ': ' + message.content + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant: ' }}{% endif %}";
const withTemplate = (chat_template: unknown) =>
  loadTokenizer({
    "tokenizer.json": json,
    "tokenizer_config.json": JSON.stringify({ eos_token: "</s>", bos_token: "<s>", chat_template }),
  });
const tokenizer = withTemplate(marked);
const rows = async (...conversations: readonly unknown[]) => {
  const text = conversations.map((messages) => JSON.stringify({ messages })).join("\n");
  return readExamples(await readTable("chat.jsonl", new TextEncoder().encode(text)));
};
const turn = (role: string, content: string) => ({ role, content });
const talk = [turn("user", "the film"), turn("assistant", "a fine one"), turn("user", "why"), turn("assistant", "so")];

/** The text of the tokens whose next token is asked for. */
function asked(row: ReturnType<typeof encodeExamples>[number] | undefined): string {
  const labels = row?.target?.kind === "tokens" ? row.target.ids : [];
  return tokenizer.decode(
    [...labels].filter((label) => label !== ignoredLabel),
    { specialTokens: true },
  );
}

test("a conversation is written by the template, and the assistant's turns with their ends are asked for", async () => {
  const data = await rows(talk);
  expect(guessTask(data)).toEqual({ task: "causal-lm", why: "rows are conversations" });
  const [row] = encodeExamples(data, causalLm.targets(none), { tokenizer, maxLength: 999 });
  expect(tokenizer.decode(row!.inputIds, { specialTokens: true })).toBe(
    "<s>user: the film</s><s>assistant: a fine one</s><s>user: why</s><s>assistant: so</s>",
  );
  expect(asked(row).replaceAll(" ", "")).toBe("afineone</s>so</s>");
});

test("with the loss on all of it every token but the first is asked for", async () => {
  const [row] = encodeExamples(await rows(talk), causalLm.targets(none), { tokenizer, maxLength: 999, lossOn: "all" });
  const labels = row?.target?.kind === "tokens" ? row.target.ids : new Int32Array();
  expect([...labels.slice(0, -1)]).toEqual([...row!.inputIds.slice(1)]);
});

test("of several templates the default one is taken, and a file of its own goes first", () => {
  const named = withTemplate([
    { name: "tool_use", template: "tools" },
    { name: "default", template: "usual" },
  ]);
  expect(named.chatTemplate?.(talk)).toBe("usual");
  const own = loadTokenizer({ "tokenizer.json": json, "chat_template.jinja": "own" });
  expect(own.chatTemplate?.(talk)).toBe("own");
});

test("conversations that can't be read, told apart or written are refused by their line", async () => {
  const refused = (messages: unknown) => expect(rows(messages)).rejects;
  await refused([{ content: "a" }]).toThrow('chat.jsonl line 1: "messages" 1: no message, which has a "role"');
  await refused({}).toThrow('"messages" is no list of messages, each with a "role"');
  await refused([{ from: "narrator", value: "a" }]).toThrow('nobody knows who "narrator" is; allowed: human, user');
  await refused([{ role: "user", content: [{ type: "image_url" }] }]).toThrow(
    'the type "image_url"; only text is read',
  );
  await refused([{ role: "assistant", content: "a", weight: 0.5 }]).toThrow("its weight is 0.5; allowed are 0");
  const encode = async (template: string | undefined, ...conversations: readonly unknown[]) =>
    encodeExamples(await rows(...conversations), causalLm.targets(none), {
      tokenizer: withTemplate(template),
      maxLength: 9,
    });
  await expect(encode(undefined, talk)).rejects.toThrow("chat.jsonl line 1: the base's tokenizer has no chat template");
  const refusing = "{% if messages[0].role != 'user' %}{{ raise_exception('the user begins') }}{% endif %}";
  await expect(encode(refusing, [turn("user", "a")], talk.slice(1))).rejects.toThrow(
    "chat.jsonl line 2: the chat template failed: the user begins",
  );
});

/** What is learnt of conversations of a template, a text for each row. */
async function learnt(template: string, ...conversations: readonly unknown[]): Promise<readonly string[]> {
  const options = { tokenizer: withTemplate(template), maxLength: 999 };
  const { rows: fed } = feedRows(await rows(...conversations), causalLm.targets(none), options);
  return fed.map((row) => asked(row).replaceAll(" ", ""));
}

test("a turn of weight 0 is written and not learnt, parts of text are one text, tools reach the template", async () => {
  const light = [turn("user", "the film"), { ...turn("assistant", "a fine one"), weight: 0 }, ...talk.slice(2)];
  expect(await learnt(marked, light)).toEqual(["so</s>"]);
  const parts = [turn("user", "why"), { role: "assistant", content: [{ type: "text", text: "a fine" }, "one"] }];
  expect(await learnt(marked, parts)).toEqual(["afineone</s>"]);
  const table = await readTable(
    "t.jsonl",
    new TextEncoder().encode(JSON.stringify({ messages: talk, system: "be brief", tools: '[{"name":"the film"}]' })),
  );
  const [example] = readExamples(table).examples;
  expect(example).toMatchObject({ tools: [{ name: "the film" }], messages: [{ role: "system" }, ...talk] });
});

test("ShareGPT's conversations and prompts and completions of messages are conversations", async () => {
  const read = async (row: unknown) =>
    readExamples(await readTable("t.jsonl", new TextEncoder().encode(JSON.stringify(row)))).examples[0];
  const shared = [
    { from: "human", value: "why" },
    { from: "gpt", value: "so" },
  ];
  expect(await read({ conversations: shared })).toEqual({ kind: "messages", messages: talk.slice(2) });
  expect(await read({ prompt: talk.slice(0, 3), completion: talk.slice(3) })).toEqual({
    kind: "messages",
    messages: talk,
    learntFrom: 3,
  });
});

test("a template's marks around what the assistant generates say exactly what is learnt", async () => {
  const generating =
    "{% for message in messages %}{% if message.role == 'assistant' %}<s>{% generation %}{{ message.content }}{% endgeneration %}</s>{% else %}{{ message.content }}{% endif %}{% endfor %}";
  expect(await learnt(generating, talk)).toEqual(["afineoneso"]);
});

test("what a template writes behind all, or into the last turn alone, makes no word of the user count", async () => {
  const each = "{{ '<s>' + message.role + ': ' + message.content + '</s>' }}";
  const asking = "{% if add_generation_prompt %}{{ '<s>assistant: ' }}{% endif %}";
  const ending = `{% for message in messages %}${each}{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant: ' }}{% else %}{{ 'of a' }}{% endif %}`;
  expect(await learnt(ending, talk)).toEqual(["afineone</s>so</s>ofa"]);
  const moved = `{% for message in messages %}{% if loop.last and message.role == 'user' %}{{ '<s>user: be brief. ' + message.content + '</s>' }}{% else %}${each}{% endif %}{% endfor %}${asking}`;
  expect(await learnt(moved, talk)).toEqual(["afineone</s>so</s>"]);
});

test("a template that writes earlier turns otherwise than the last one is learnt turn by turn", async () => {
  const thinking =
    "{% for message in messages %}{{ '<s>' + message.role + ': ' }}{% if message.role == 'assistant' and loop.last %}{{ 'the ' }}{% endif %}{{ message.content + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant: ' }}{% endif %}";
  expect(await learnt(thinking, talk)).toEqual(["theafineone</s>", "theso</s>"]);
});

const asks = "{% if add_generation_prompt %}{{ '<s>assistant: ' }}{% endif %}";
const writtenBy = async (template: string, ...conversation: readonly unknown[]) => {
  const [row] = encodeExamples(await rows(conversation), causalLm.targets(none), {
    tokenizer: withTemplate(template),
    maxLength: 999,
  });
  return { text: tokenizer.decode(row!.inputIds, { specialTokens: true }), learnt: asked(row).replaceAll(" ", "") };
};

test("parts go to a template that reads them, are put together for one that does not, and a text is one where only parts are read", async () => {
  const parts = (content: string) => [
    { type: "text", text: `${content} ` },
    { type: "text", text: "ab" },
  ];
  const spoken = [{ role: "user", content: parts("one") }, turn("assistant", "two")];
  const each = "{% for p in m.content %}{{ '[' + p.text + ']' }}{% endfor %}";
  const by = (content: string) =>
    `{% for m in messages %}{{ '<s>' + m.role }}${content}{{ '</s>' }}{% endfor %}${asks}`;
  expect((await writtenBy(by("{{ m.content }}"), ...spoken)).text).toBe("<s>userone ab</s><s>assistanttwo</s>");
  expect((await writtenBy(by(each), ...spoken)).text).toBe("<s>user[one ][ab]</s><s>assistant[two]</s>");
  const both = `{% if m.content is string %}{{ m.content }}{% else %}${each}{% endif %}`;
  expect((await writtenBy(by(both), ...spoken)).text).toBe("<s>user[one ][ab]</s><s>assistanttwo</s>");
});

test("a turn that is not the last one ends with the end that it has there", async () => {
  const asking =
    "{% for m in messages %}{{ '<s>' + m.role + ': ' + m.content }}{{ '!' if m.role == 'assistant' and loop.last and not add_generation_prompt else '</s>' }}{% endfor %}";
  expect((await writtenBy(asking + asks, ...talk)).learnt).toBe("afineone</s>so!");
});

test("of a template that marks several parts of a turn all are learnt, and none of a turn without weight", async () => {
  const parts = "{% generation %}{{ m.content }}{% endgeneration %}|{% generation %}{{ '</s>' }}{% endgeneration %}";
  const template = `{% for m in messages %}{{ '<s>' + m.role + ': ' }}{% if m.role == 'assistant' %}${parts}{% else %}{{ m.content }}{% endif %}{% endfor %}${asks}`;
  expect((await writtenBy(template, ...talk)).learnt).toBe("afineone</s>so</s>");
  const [, first, ...rest] = talk;
  expect((await writtenBy(template, talk[0], { ...first, weight: 0 }, ...rest)).learnt).toBe("so</s>");
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { causalLm } from "../../objectives/causal-lm.ts";
import { readTable } from "../tables/readers.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import { readExamples } from "./columns.ts";
import { encodeExamples } from "./encode.ts";
import { ignoredLabel } from "./examples.ts";
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
  await expect(rows([{ content: "a" }])).rejects.toThrow(
    'chat.jsonl line 1: "messages" is no list of messages, each with a "role"',
  );
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
  await expect(encode("{{ messages | length }}{{ messages[0].content }}", talk)).rejects.toThrow(
    "chat.jsonl line 1: the chat template writes a turn in another way once more follow",
  );
});

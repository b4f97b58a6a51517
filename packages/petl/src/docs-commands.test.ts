import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { commandLine } from "./cli/command.ts";
import { verbs } from "./cli/verbs.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const text = (path: string) => readFileSync(join(root, path), "utf8");
const pages = [
  ...["README.md", "packages/petl/README.md"],
  ...["docs/how-to", "docs/methods"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  ),
];

/** Pages whose commands are all run by the test below, on petl's own data. */
const run = ["docs/how-to/classify-your-texts.md"];

/** Why the commands of the other pages are only read. */
const onlyRead: Readonly<Record<string, string>> = {
  "README.md": "downloads, and trains for minutes; examples and package.test run its programs",
  "packages/petl/README.md": "its program is run by package.test",
  "docs/how-to/convert.md": "needs adapters of other programs; convert.test runs the verb",
  "docs/how-to/jobs.md": "needs a queue and lasting processes; server.test runs its routes",
  "docs/how-to/language-models.md": "needs data sets that are not petl's; language-model.test runs the verbs",
  "docs/how-to/onnx.md": "merge.test runs the verb; the rest is of other programs",
  "docs/how-to/plan.md": "plan's own tests run the verb",
  "docs/how-to/pretrain.md": "trains for an hour; pretrain.test runs the verb",
  "docs/how-to/quantize.md": "needs large bases; quantize.test runs the verb",
  "docs/how-to/serve.md": "lasting processes; server.test runs its routes",
  "docs/how-to/study.md": "trains for minutes; studies.test runs the verb",
};

/** The lines of a page's shell blocks, those that go on joined. */
const linesOf = (page: string): readonly string[] =>
  [...text(page).matchAll(/^ *```(?:sh|console|bash)\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) =>
    block.replaceAll(/\\\n\s*/g, "").split("\n"),
  );

/** The arguments of a line that calls petl, as a shell parts them. */
function argumentsOf(line: string): readonly string[] | undefined {
  const [, rest] = /^\s*(?:\$ )?(?:npx )?petl (.*)$/.exec(line) ?? [];
  if (rest === undefined) return undefined;
  const [command = ""] = rest.split(/ [|>#&]| \d?>/);
  return [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
}

const commands = pages.flatMap((page) =>
  linesOf(page).flatMap((line) => {
    const words = argumentsOf(line);
    return words ? [{ page, line: line.trim(), words }] : [];
  }),
);

test("every command of every page names a verb and flags that there are", async () => {
  const loaded = await Promise.all(verbs.map(({ load }) => load()));
  expect(commands.length).toBeGreaterThan(30);
  const wrong: string[] = [];
  for (const { page, line, words } of commands) {
    if (words.includes("--config") || words.includes("--help")) continue; // the one is a file, the other ends
    const grammar = commandLine(loaded, "0", async () => undefined);
    await grammar.parseAsync([...words], { from: "user" }).catch((error: unknown) => {
      wrong.push(`${page}: ${line}: ${error instanceof Error ? error.message : error}`);
    });
  }
  expect(wrong).toEqual([]);
});

test("every page with commands is run, or says why not", () => {
  const having = [...new Set(commands.map(({ page }) => page))].filter((page) => !page.startsWith("docs/methods/"));
  expect([...run, ...Object.keys(onlyRead)].filter((page) => having.includes(page)).sort()).toEqual(having.sort());
});

test.each(run)("%s: its commands and its program run as they stand there", (page) => {
  const folder = mkdtempSync(join(tmpdir(), "petl-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const rows = text("packages/petl/data/messages/train.csv").split("\n").slice(0, 97);
  writeFileSync(join(folder, "messages.csv"), rows.join("\n"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "packages/petl"), join(folder, "node_modules/petl"));
  const [, program = ""] = /```ts\n([\s\S]*?)```/.exec(text(page)) ?? [];
  writeFileSync(join(folder, "program.mjs"), program);
  const petl = `npx() { shift; "${process.execPath}" "${join(root, "packages/petl/bin/petl.js")}" "$@"; }`;
  const script = [petl, ...linesOf(page), `"${process.execPath}" program.mjs`].join("\n");
  const said = execFileSync("bash", ["-e", "-c", script], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(said).toContain("try next: ");
  expect(said).toMatch(/"label":"\w+","score":0/);
  expect(said).toMatch(/"test":"mcnemar"/);
  expect(readFileSync(join(folder, "answers.csv"), "utf8").split("\n").length).toBeGreaterThan(96);
});

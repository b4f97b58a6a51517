import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "petl-examples-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Runs a script of Node in an empty folder; gives what it printed. */
function run(script: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [script, ...args], { cwd: work, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      printed += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(printed) : reject(new Error(`${script} ended with ${code}: ${printed}`)),
    );
  });
}

const example = (name: string) => run(join(here, `${name}.mjs`));

/** The numbers that a pattern's groups find in a text. */
function numbers(text: string, pattern: RegExp): readonly number[] {
  const found = pattern.exec(text);
  if (!found) throw new Error(`${pattern} is not in: ${text}`);
  return found.slice(1).map(Number);
}

test("every example has its test here and less than 40 lines", () => {
  const own = readFileSync(join(here, "examples.test.ts"), "utf8");
  const names = readdirSync(here).filter((name) => name.endsWith(".mjs") && name !== "base.mjs");
  expect(names.length).toBe(5);
  for (const name of names) {
    expect(own).toContain(`example("${name.slice(0, -".mjs".length)}")`);
    expect(readFileSync(join(here, name), "utf8").split("\n").length, name).toBeLessThan(40);
  }
});

test("the examples' types are right", async () => {
  const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
  expect(await run(tsc, "-p", here)).toBe("");
});

test("text classification learns more than chance, and its saved adapter answers", async () => {
  const printed = await example("text-classification");
  const [accuracy = 0] = numbers(printed, /accuracy: ([\d.]+)/);
  expect(accuracy).toBeGreaterThan(0.3); // chance is 1 of 6
  expect(printed).toMatch(/adapter of \d+ bytes says: (account|advice|delivery|fault|payment|praise) \(\d\.\d\d\)/);
});

test("sentence pairs: full fine-tuning lowers its loss, and both models answer", async () => {
  const printed = await example("sentence-pairs");
  const losses = [...printed.matchAll(/^full: loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss));
  expect(losses.length).toBe(3);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect(printed).toMatch(/^bottleneck: (same|other) \(/m);
  expect(printed).toMatch(/^full: (same|other) \(/m);
});

test("similarity: the task is found, and the error falls below that of always saying the mean", async () => {
  const printed = await example("similarity");
  expect(printed).toContain("task: regression");
  const [error = Number.NaN] = numbers(printed, /mean squared error ([\d.]+)/);
  expect(error).toBeLessThan(1); // the variance of these scores is 2.7
});

test("token classification labels each word, and knows the rows that it learned from", async () => {
  const printed = await example("token-classification");
  expect(printed).toMatch(/^Clara\/\w+ sails\/\w+ to\/\w+ Oslo\/\w+ on\/\w+ Monday\/\w+ \.\/\w+$/m);
  const [accuracy = 0] = numbers(printed, /learned from: ([\d.]+)/);
  expect(accuracy).toBeGreaterThan(0.9);
});

test("masked-LM adaptation lowers the perplexity", async () => {
  const [before = 0, after = 0] = numbers(await example("masked-lm"), /([\d.]+) before, ([\d.]+) after/);
  expect(after).toBeLessThan(0.7 * before);
});

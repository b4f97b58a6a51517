import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { type CompletedVerb, shells } from "./completion-scripts.ts";

const verbs: readonly CompletedVerb[] = [
  {
    name: "train",
    summary: "fine-tune it's base: quickly",
    operands: ["quick", "slow"],
    flags: [
      { flag: "--schedule", help: "how the rate moves", takesValue: true, values: ["constant", "linear"] },
      { flag: "--data", help: "rows: a file", takesValue: true, values: [] },
      { flag: "--no-shuffle", help: "not: shuffle", takesValue: false, values: [] },
    ],
  },
  { name: "tokens", summary: "another", operands: [], flags: [] },
];
const scriptOf = (shell: string) => shells.find(({ name }) => name === shell)?.script(verbs) ?? "";
const hasBash = spawnSync("bash", ["-c", "type complete compgen"]).status === 0;

/** What bash offers behind `petl …`, the last word being under way. */
function offered(...words: readonly string[]): readonly string[] {
  const line = ["petl", ...words].map((word) => `'${word}'`).join(" ");
  const program = `${scriptOf("bash")}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _petl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync("bash", ["--norc", "-c", program], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout.split("\n").filter(Boolean);
}

test.runIf(hasBash)("bash completes verbs, a verb's flags, their values, and leaves files to itself", () => {
  expect(offered("t")).toEqual(["train", "tokens"]);
  expect(offered("train", "--s")).toEqual(["--schedule"]);
  expect(offered("train", "--schedule", "")).toEqual(["constant", "linear"]);
  expect(offered("train", "--schedule", "li")).toEqual(["linear"]);
  expect(offered("train", "--data", "--")).toEqual([]);
  expect(offered("train", "my")).toEqual([]);
  expect(offered("train", "sl")).toEqual(["slow"]);
  expect(offered("help", "to")).toEqual(["tokens"]);
  expect(offered("tokens", "")).toEqual([]);
});

test("zsh and fish are given every verb and flag, with no quote that ends another", () => {
  for (const shell of ["zsh", "fish"]) {
    const script = scriptOf(shell);
    for (const word of ["train", "tokens", "schedule", "no-shuffle", "constant linear"]) expect(script).toContain(word);
    for (const line of script.split("\n").filter((each) => !each.includes('"')))
      expect((line.match(/'/g) ?? []).length % 2, line).toBe(0);
  }
});

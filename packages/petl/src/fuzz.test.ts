import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/fuzz.mjs", import.meta.url));

test("500 damaged files of each kind are read or refused, at once and by the user's fault alone", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--count", "500"], { encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  expect(lines.filter((line) => !line.endsWith(": 500 damaged files, 0 faults"))).toEqual([]);
  expect(lines.length, stderr).toBeGreaterThan(5);
  expect(status, stderr).toBe(0);
}, 300_000);

const hostile = fileURLToPath(new URL("../../../scripts/hostile.mjs", import.meta.url));

// other tests run beside this one, which slows a process down by more than half
test("files that were made to stop a process are refused within seconds and 64 MB, each in a process of its own", () => {
  const formats = ["tokenizer", "safetensors", "csv.gz"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [hostile, "--slack", "10", ...formats], {
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout.trim().split("\n").length).toBeGreaterThan(10);
}, 240_000);

const commandLine = fileURLToPath(new URL("../../../scripts/fuzz-cli.mjs", import.meta.url));

test("verbs called with flags and files drawn at random end well or by an error of a known kind", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandLine, "--count", "60", "--seed", "3"], {
    encoding: "utf8",
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
}, 240_000);

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { predict } from "@petl/core";
import { expect, test } from "vitest";
import { openTask, textsOf } from "../demo/training.ts";
import { loadAdapter } from "../library/load-adapter.ts";
import { openBase } from "../library/open-base.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { petl, temporaryFolder } from "./run-petl.fake.ts";

const methods = ["head", "bitfit", "bottleneck", "lora", "top-layers", "full"];
const texts = ["the baker sends bread on monday", "who rang the bell", "a warm coat and a broken lamp"];

test("the quick demo compares its methods, serves all adapters from one base, and its commands work as printed", async () => {
  const folder = temporaryFolder();
  await writeTinyBase(join(folder, "tiny"), texts, { head: "masked-lm" });
  const weights = () => readFileSync(join(folder, "tiny", "model.safetensors"));
  const before = weights();
  const quick = ["demo", "--base", "tiny", "--quick", "--threads", "1"];
  const told = await petl(quick, folder);
  expect(told.code, told.stderr).toBe(0);
  const out = join(folder, "petl-demo"); // where no folder is named
  const result = JSON.parse(readFileSync(join(out, "numbers.json"), "utf8"));
  expect(result).toMatchObject({
    base: { unchanged: true, bytes: before.length },
    methods: methods.map((method) => ({ method, epochs: 1, accuracy: { rows: 108, seeds: 1 } })),
    further: ["questions", "reviews", "users/midwife", "users/cellist"].map((name) => ({ name })),
    one_base: { adapters: 5, base_bytes: before.length },
  });
  expect(result.methods[0].masked_lm_loss).toBe(result.own_task.loss); // a head leaves the body as it is
  expect(readdirSync(join(out, "adapters", "messages")).sort()).toEqual([...methods].sort());

  const page = readFileSync(join(out, "report.html"), "utf8");
  for (const method of methods) expect(page).toContain(`>${method}</text>`);
  expect(page).toContain("every method had one epoch");
  expect(page).not.toMatch(/NaN|undefined|(?:src|href)=|url\(/); // whole numbers, and nothing from elsewhere

  const base = await openBase(join(folder, "tiny"), { threads: 1 });
  for (const set of ["tasks", "users"] as const) {
    const asked: { text: string; answers: { adapter: string; label: string; score: number }[] }[] =
      result.one_base[set];
    for (const { adapter } of asked[0]?.answers ?? []) {
      const model = await loadAdapter(base, join(out, "adapters", adapter));
      const answers = await predict(
        model,
        asked.map(({ text }) => text),
      );
      const found = asked.flatMap((each) => each.answers.find((answer) => answer.adapter === adapter) ?? []);
      expect(found.map(({ label }) => label)).toEqual(answers.map(({ label }) => label));
      // the rows of all adapters stood in one batch, which rounds otherwise
      for (const [at, { score = 0 }] of answers.entries()) expect(found[at]?.score).toBeCloseTo(score, 5);
    }
  }
  expect(textsOf((await openTask("messages", base)).test).length).toBe(108);
  await base.close();

  const commands = [...told.stdout.matchAll(/^ {2}npx petl (.*)$/gm)].map(([, command = ""]) => command);
  expect(commands.length).toBe(3);
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
    const ended = await petl(words, folder);
    expect(ended.code, `${command}: ${ended.stderr}`).toBe(0);
  }
  expect(weights().equals(before)).toBe(true);

  const [again, named] = [
    await petl([...quick, "--json"], folder),
    await petl([...quick, "--out", "petl-demo"], folder),
  ];
  expect(JSON.parse(again.stdout)).toEqual(
    JSON.parse(readFileSync(join(folder, "petl-demo-2", "numbers.json"), "utf8")),
  );
  expect(named.code).toBe(2);
  expect(named.stderr).toContain("is not empty");
});

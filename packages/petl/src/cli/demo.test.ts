import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { petl, petlJson, temporaryFolder } from "./run-petl.fake.ts";

const methods = ["head", "bitfit", "bottleneck", "lora", "top-layers", "full"];

test("the quick demo compares its methods, keeps adapters that predict, and leaves the base as it was", async () => {
  const out = join(temporaryFolder(), "tour");
  const [result] = await petlJson(["demo", "--quick", "--json", "--threads", "2", "--out", out]);
  expect(result).toMatchObject({
    base_unchanged: true,
    target: { train: 90, held_out: 90 },
    rows: [
      { method: "head", base: "untrained" },
      { method: "full", base: "untrained" },
      ...methods.map((method) => ({ method, base: "trained", accuracy: { of: 90 } })),
    ],
  });
  expect(JSON.parse(readFileSync(join(out, "numbers.json"), "utf8"))).toEqual(result);
  expect(readdirSync(join(out, "adapters")).sort()).toEqual([...methods].sort());
  const page = readFileSync(join(out, "report.html"), "utf8");
  for (const method of methods) expect(page).toContain(`>${method}</text>`);
  expect(page).not.toMatch(/NaN|undefined|(?:src|href)=/); // whole numbers, and nothing from elsewhere
  const base = join(out, "base");
  const [answer] = await petlJson([
    ...["predict", "--base", base, "--adapter", join(out, "adapters", "lora")],
    ...["--text", "Please cancel our booking."],
  ]);
  expect(answer).toMatchObject({ scores: { access: expect.any(Number), payment: expect.any(Number) } });
  const again = await petl(["demo", "--quick", "--out", out]);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("is not empty");
  expect(existsSync(join(out, "report.html"))).toBe(true);
});

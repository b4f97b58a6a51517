import { join } from "node:path";
import { adapt, countParameters, type Goal, methods, readBase, sizedOptions } from "@petl/core";
import { expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { testFolder } from "../library/open-tiny.fake.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { equalBudget } from "./equal-budget.ts";

test("each method has its largest size within the budget, what has no size stays, and what cannot be so small is named", async () => {
  const folder = join(testFolder(), "base");
  await writeTinyBase(folder, ["a fine film", "a dull film"]);
  const base = await readBase(directory(folder));
  const goal: Goal = { task: "classification", labels: 2 };
  const names = ["lora", "dora", "bottleneck", "vera", "prefix", "bitfit"];
  const trained = (name: string, values: Readonly<Record<string, unknown>>) => {
    const use = methods.find((each) => each.name === name)?.use(values);
    return use ? countParameters(adapt(base, [use], goal)).trained_parameters : Number.NaN;
  };
  const most = trained("bottleneck", { size: 7 }) + 1;
  const { options, remarks } = equalBudget(base, goal, names, most);
  expect(Object.keys(options).sort()).toEqual([...names].sort());
  for (const method of methods.filter(({ name, size }) => names.includes(name) && size)) {
    const chosen = options[method.name] ?? {};
    expect(trained(method.name, chosen), method.name).toBeLessThanOrEqual(most);
    const next = sizedOptions(method, Number(chosen[method.size?.option ?? ""]) + 1);
    const isAtLimit = method.name === "prefix" || method.name === "vera"; // whose sizes end before the budget does
    if (!isAtLimit) expect(trained(method.name, next), method.name).toBeGreaterThan(most);
  }
  expect(options.bottleneck).toEqual({ size: 7 });
  expect(remarks).toHaveLength(names.length);
  expect(() => equalBudget(base, goal, names, 1)).toThrow(/lora trains .*at rank 1[\s\S]*`parameters` 1 is too few/);
});

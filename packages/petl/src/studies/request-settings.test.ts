import { budgetSizes, InputError } from "@petl/core";
import { expect, test } from "vitest";
import { dryRun } from "./dry-run.ts";
import { requestSettings } from "./request-settings.ts";
import { type StudyOptions, study } from "./study.ts";

test("programs are refused what the command line refuses, before a base is looked for", async () => {
  const wrong = { base: "nowhere", data: "nowhere", seeds: 0, budget: "long", trainRows: 1.5, methods: [] } as object;
  await expect(dryRun("compare", wrong as Parameters<typeof dryRun>[1])).rejects.toThrow(
    /`seeds` 0 must be above 0[\s\S]*`budget` "long" is none of quick, standard, paper[\s\S]*`trainRows` 1.5 [\s\S]*`methods`/,
  );
});

test.each([
  [5, {}, "there is no study 5; studies: compare"],
  ["compare", 5, "options are 5; they must be an object"],
  ["compare", { base: 3, data: [] }, "`base` 3 is not a string"],
  ["compare", { base: "b", data: "d", budgets: "quick" }, 'there is no option `budgets`; did you mean "budget"?'],
  [
    "compare",
    { base: "b", data: "d", jobs: "many", reuse: 5, overwrite: 1 },
    /`jobs` "many" [\s\S]*`reuse` 5 [\s\S]*`overwrite` 1 /,
  ],
  ["compare", { base: "b", data: "d", signal: 1 }, "signal is 1"],
])("a program that asks %j with %j is told what is wrong", async (name, options, message) => {
  const events = study(name as string, options as unknown as StudyOptions);
  const error: unknown = await events.next().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  expect(() => {
    throw error;
  }).toThrow(message);
});

test("what help texts say of each budget is what it takes", () => {
  const { seeds, trainRows, methods } = requestSettings;
  expect(seeds.otherwise).toBe(
    Object.entries(budgetSizes)
      .map(([name, size]) => `${name}: ${size.seeds}`)
      .join(", "),
  );
  expect(trainRows.otherwise).toBe("quick: 300, standard: 2000, paper: all");
  expect(methods.read("lora, bitfit")).toEqual(methods.read(["lora", "bitfit"]));
});

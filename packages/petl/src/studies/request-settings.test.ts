import { budgetSizes } from "@petl/core";
import { expect, test } from "vitest";
import { dryRun } from "./dry-run.ts";
import { requestSettings } from "./request-settings.ts";

test("programs are refused what the command line refuses, before a base is looked for", async () => {
  const wrong = { base: "nowhere", data: "nowhere", seeds: 0, budget: "long", trainRows: 1.5, methods: [] } as object;
  await expect(dryRun("compare", wrong as Parameters<typeof dryRun>[1])).rejects.toThrow(
    /`seeds` 0 must be above 0[\s\S]*`budget` "long" is none of quick, standard, paper[\s\S]*`trainRows` 1.5 [\s\S]*`methods`/,
  );
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

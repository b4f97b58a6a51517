import { expect, test } from "vitest";
import { chooseDataFiles, type DataConfig } from "./data-set.ts";
import { matchesGlob } from "./globs.ts";

const config = (name: string, splits: Readonly<Record<string, readonly string[]>>, isDefault = false): DataConfig => ({
  name,
  isDefault,
  splits: new Map(Object.entries(splits)),
});
const choose = (files: readonly string[], wanted = {}, configs: readonly DataConfig[] = []) => {
  try {
    const found = chooseDataFiles("set", files, configs, wanted);
    return found.kind === "one" ? found.files : found.splits;
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};

test("patterns are met by paths as Hugging Face's are, whatever stars they have", () => {
  const met = ["data/train-*.parquet", "**/train*", "data", "data/*", "d?ta/**", "{x,data}/train-0[01].parquet", "*/*"];
  for (const pattern of met) expect(matchesGlob(pattern, "data/train-00.parquet"), pattern).toBe(true);
  for (const pattern of ["*.parquet", "train-00.parquet", "data/train", "data/*/*"])
    expect(matchesGlob(pattern, "data/train-00.parquet"), pattern).toBe(false);
  expect(matchesGlob(`${"*a".repeat(200)}b`, "a".repeat(900))).toBe(false);
});

test("a card's configurations say which file is which split", () => {
  const configs = [
    config("one", { train_sft: ["one/a*.csv"], test_sft: ["one/t.csv"] }),
    config("two", { all: ["two/*.csv"] }),
  ];
  const files = ["one/a.csv", "one/ab.csv", "one/t.csv", "two/x.csv", "notes.txt"];
  expect(choose(files, { config: "one" }, configs)).toEqual({
    train: ["one/a.csv", "one/ab.csv"],
    test: ["one/t.csv"],
  });
  expect(choose(files, { config: "two" }, configs)).toEqual({ train: ["two/x.csv"] });
  expect(choose(files, { config: "one", split: "test_sft" }, configs)).toEqual(["one/t.csv"]);
  expect(choose(files, {}, configs)).toBe("set has the configurations one, two; choose one, as in set:one");
  expect(choose(files, { config: "one", split: "dev" }, configs)).toMatch('set:one has no split "dev"');
});

test("without a card, files at the top win over those in data/, and folders are configurations", () => {
  expect(choose(["train.csv", "data/train.csv"])).toEqual({ train: ["train.csv"] });
  expect(choose(["data/train.csv", "data/test.csv", "more/train.csv"])).toMatchObject({ train: ["data/train.csv"] });
  expect(choose(["default/train/0000.parquet", "default/train/0001.parquet"])).toMatchObject({
    train: ["default/train/0000.parquet", "default/train/0001.parquet"],
  });
  expect(choose(["cola/train.csv", "sst2/train.csv"])).toMatch("set has the configurations cola, sst2; choose one");
  expect(choose(["cola/train.csv", "sst2/train.csv"], { config: "sst2" })).toEqual({ train: ["sst2/train.csv"] });
  expect(choose(["cola/train.csv"], { config: "sst" })).toMatch('set has no configuration "sst"; its folders: cola');
  expect(choose(["train/a.csv", "train/b.csv", "test/a.csv"])).toMatchObject({ train: ["train/a.csv", "train/b.csv"] });
});

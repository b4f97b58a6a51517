import { expect, test } from "vitest";
import { findSplits } from "./splits.ts";

const message = (files: string[]) => {
  try {
    return JSON.stringify(findSplits("data", files));
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};

test("splits are found by the words of the files' names, other files don't count", () => {
  expect(findSplits("sst2", ["README.md", "dev.tsv", "test-labeled.tsv", "train.tsv", "dataset_info.txt"])).toEqual({
    train: ["train.tsv"],
    validation: ["dev.tsv"],
    test: ["test-labeled.tsv"],
  });
  for (const word of ["dev", "validation", "valid", "val", "eval", "VALIDATION", "my_dev", "sts-dev"])
    expect(findSplits("data", [`${word}.jsonl`])).toEqual({ validation: [`${word}.jsonl`] });
});

test("of MNLI's two the matched set is the validation set", () => {
  const files = ["train.tsv", "dev_matched.tsv", "dev_mismatched.tsv", "test_matched.tsv", "test_mismatched.tsv"];
  expect(findSplits("mnli", files)).toEqual({
    train: ["train.tsv"],
    validation: ["dev_matched.tsv"],
    test: ["test_matched.tsv"],
  });
});

test("numbered shards are one split, in their order", () => {
  const shards = ["data/train-00001-of-00002.parquet", "data/train-00000-of-00002.parquet"];
  expect(findSplits("data", [...shards, "data/test-00000-of-00001.parquet"])).toEqual({
    train: ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"],
    test: ["data/test-00000-of-00001.parquet"],
  });
});

test("plain text trains where there are no tables, by its name", () => {
  expect(findSplits("data", ["train.txt", "notes.txt"])).toEqual({ train: ["train.txt"] });
  expect(findSplits("data", ["train.csv", "train.txt"])).toEqual({ train: ["train.csv"] });
});

test("a file's own name speaks before its folder's, and a lone file trains", () => {
  expect(findSplits("data", ["train/part.csv", "eval/test.csv"])).toEqual({
    train: ["train/part.csv"],
    test: ["eval/test.csv"],
  });
  expect(findSplits("data", ["reviews.csv", "notes.md"])).toEqual({ train: ["reviews.csv"] });
});

test("two files for one split, files without such a word, and no data file are refused with their names", () => {
  expect(message(["dev.tsv", "val.tsv", "train.tsv"])).toBe(
    "data: dev.tsv, val.tsv could each be the validation set; name one file",
  );
  expect(message(["a_train.csv", "b_train.csv"])).toMatch(/a_train.csv, b_train.csv could each be the train set/);
  expect(message(["a.csv", "b.csv"])).toMatch(/none of a.csv, b.csv is named train/);
  expect(message(["a.txt"])).toMatch(/holds no data file \(.csv, /);
});

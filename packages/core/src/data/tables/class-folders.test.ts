import { expect, test } from "vitest";
import { classFiles, classFolders, classTable, wholeText } from "./class-folders.ts";

const texts = ["neg/1.txt", "neg/2.txt", "pos/1.txt"];
const below = (folder: string) => texts.map((file) => `${folder}/${file}`);

test("a folder of texts for each class is a training set, or one for each split that its folder names", () => {
  expect(classFolders([...texts, "README.md", "notes.txt"])).toEqual({ train: [""] });
  expect(classFolders([...below("train"), ...below("dev"), "train/urls.txt"])).toEqual({
    train: ["train"],
    validation: ["dev"],
  });
});

test.each([
  ["tables beside the texts", [...texts, "rows.csv"]],
  ["one folder", ["pos/1.txt", "pos/2.txt"]],
  ["folders that are splits themselves", ["train/1.txt", "test/1.txt"]],
  ["texts that lie deeper", [...texts, "pos/more/3.txt"]],
])("%s are no classes", (_, files) => {
  expect(classFolders(files)).toBeUndefined();
});

test("a row is the text of a whole file with its folder's name, and says where it stands", () => {
  const files = (classFiles(texts) ?? []).map((file) => ({ ...file, text: `of ${file.path}` }));
  const table = classTable("set", files);
  expect(table.rows[2]).toEqual({ text: "of pos/1.txt", label: "pos" });
  expect(table.placeOf(1)).toBe("set/neg/2.txt");
  expect(wholeText("a.txt", new TextEncoder().encode("two\nlines\n"), {})).toBe("two\nlines");
  expect(() => wholeText("a.txt", Uint8Array.of(255), {})).toThrow("a.txt line 1: not UTF-8");
});

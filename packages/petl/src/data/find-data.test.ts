import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { configsIn } from "../hub/data-card.ts";
import { findData, settledData } from "./find-data.ts";

const root = mkdtempSync(join(tmpdir(), "petl-data-"));
afterAll(() => rmSync(root, { recursive: true }));
for (const path of ["set/data/train.csv", "set/data/dev.csv", "lone=1.csv", "rows.csv"]) {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), "text,label\n");
}
const at = (path: string) => join(root, path);

test("a folder's data/, a weight, and a name that ends like one are found", async () => {
  expect(await findData([`${at("set")}=2`, at("rows.csv")], "train")).toEqual({
    train: [
      { path: at("set/data/train.csv"), weight: 2 },
      { path: at("rows.csv"), weight: 1 },
    ],
    validation: [{ path: at("set/data/dev.csv"), weight: 1 }],
  });
  expect(await findData(`${at("lone=1.csv")}`, "test")).toEqual({ test: [{ path: at("lone=1.csv"), weight: 1 }] });
  expect(await settledData(`${at("rows.csv")}=.5`)).toBe(`${at("rows.csv")}=0.5`);
});

test("a split that is named stands for itself, whatever it is asked as", async () => {
  writeFileSync(
    at("set/README.md"),
    "---\nconfigs:\n- config_name: c\n  data_files:\n  - {split: odd, path: data/dev.csv}\n---\n",
  );
  expect(await findData(`${at("set")}:c:odd`, "train")).toEqual({
    train: [{ path: at("set/data/dev.csv"), weight: 1 }],
  });
});

test("what is no data is refused without asking the hub, with what there is", async () => {
  await expect(findData(at("row.csv"), "train")).rejects.toThrow(/there is no data file .*did you mean "rows.csv"\?/);
  await expect(findData("imdb", "train")).rejects.toThrow(
    "a data set on the hub is owner/name, owner/name:configuration",
  );
  await expect(findData("../owner/name", "train")).rejects.toThrow("there is no data file or folder");
  await expect(findData(`${at("rows.csv")}=0`, "train")).rejects.toThrow("weights are above 0");
  await expect(findData(`${at("rows.csv")}:c`, "train")).rejects.toThrow('has no configuration "c"');
});

test("cards that are none, or made to grow, name no configurations", () => {
  const bomb = `---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nd: [${"*c,".repeat(9)}]\n---\n`;
  for (const text of ["", "# A page", "---\nconfigs: 5\n---\n", "---\n: : :\n---\n", bomb])
    expect(configsIn(text)).toEqual([]);
});

test("a link that leads nowhere is called one", async () => {
  symlinkSync(at("gone.csv"), at("link.csv"));
  await expect(findData(at("link.csv"), "train")).rejects.toThrow(
    `"${at("link.csv")}": it is a link that leads nowhere`,
  );
});

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { announcedKinds } from "./sites.ts";

test("the list holds every kind of site of its folder", () => {
  const files = readdirSync(new URL("sites/", import.meta.url)).filter((file) => file !== "site-kind.ts");
  expect(files.map((file) => file.replace(".ts", "")).sort()).toEqual(Object.keys(announcedKinds).sort());
});

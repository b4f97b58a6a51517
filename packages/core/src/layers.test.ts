import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { importCircles } from "./import-circles.fake.ts";
import { layers } from "./layers.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const slashed = (path: string) => path.split(sep).join("/");

interface Import {
  readonly from: string;
  /** a file below src, or the name of a package */
  readonly to: string;
  readonly external: boolean;
  /** gone when the code runs */
  readonly typeOnly: boolean;
  readonly exported: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map(slashed)
  .filter((file) => file.endsWith(".ts") && !/\.(test|fake|d)\.ts$/.test(file));

/** The import and export declarations of a file; every one of them stands at the start of a line. */
function importsOf(file: string): readonly Import[] {
  const source = readFileSync(join(root, file), "utf8");
  const declarations = source.matchAll(/^(import|export)\s+(type\s+)?((?:[^;"']*?\sfrom\s+)?)["']([^"']+)["']/gm);
  const dynamic = [...source.matchAll(/\b(?:import|require)\s*\(\s*["']([^"']+)["']/g)].map(([, specifier = ""]) => ({
    specifier,
    typeOnly: false,
    exported: false,
  }));
  const named = [...declarations].map(([, keyword, type, names = "", specifier = ""]) => ({
    specifier,
    typeOnly: type !== undefined || /^\{(\s*type\s[^,{}]*,?)+\s*\}\s*from/.test(names),
    exported: keyword === "export",
  }));
  return [...named, ...dynamic].map(({ specifier, typeOnly, exported }) => {
    const external = !specifier.startsWith(".");
    const to = external ? specifier : slashed(relative(root, join(root, dirname(file), specifier)));
    return { from: file, to, external, typeOnly, exported };
  });
}

const imports = files.flatMap(importsOf);
const inner = imports.filter(({ external }) => !external);
/** The room of a file: its first folder, or the second one in it where the table parts that. */
const folderOf = (file: string) => {
  const [first = "", second, third] = file.split("/");
  if (second === undefined) return "";
  return third !== undefined && Object.keys(layers).includes(`${first}/${second}`) ? `${first}/${second}` : first;
};
const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== "");
const doors: Readonly<Record<string, readonly string[]>> = layers;

/** All that a folder may import, through any number of doors. */
const open = (folder: string): readonly string[] => [folder, ...(doors[folder] ?? []).flatMap((next) => open(next))];

test("the reader of imports sees every kind, and what it sees exists", () => {
  expect(inner.length).toBeGreaterThan(300);
  expect(inner.some(({ typeOnly }) => typeOnly) && inner.some(({ exported }) => exported)).toBe(true);
  for (const { from, to } of inner) expect(existsSync(join(root, to)), `${from} imports ${to}`).toBe(true);
  for (const file of files) {
    const lines = readFileSync(join(root, file), "utf8").match(/ from "/g) ?? [];
    const strings = importsOf(file).length;
    expect(strings, file).toBeGreaterThanOrEqual(lines.length);
  }
});

test("the table of doors names the folders that there are", () => {
  expect(Object.keys(layers).sort()).toEqual([...folders].sort());
});

/** What every room may import. */
const openToAll = ["errors.ts", "values.ts"];

test("every import goes through a door of the table", () => {
  const wrong = inner.filter(
    ({ from, to }) => folderOf(from) !== "" && !openToAll.includes(to) && !open(folderOf(from)).includes(folderOf(to)),
  );
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test("every door is used", () => {
  const used = (folder: string, next: string) =>
    inner.some(({ from, to }) => folderOf(from) === folder && open(next).includes(folderOf(to)));
  for (const [folder, nexts] of Object.entries(doors)) {
    for (const next of nexts) expect(used(folder, next), `${folder} imports ${next}`).toBe(true);
  }
});

test("graph's other files know no operator but those that rewrite graphs", () => {
  const knowing = inner.filter(({ from, to }) => /^graph\/[^/]+$/.test(from) && to.startsWith("graph/ops/"));
  expect([...new Set(knowing.map(({ from }) => from))].sort()).toEqual([
    "graph/for-webgpu.ts",
    "graph/int8-activations.ts",
    "graph/joined-products.ts",
    "graph/narrow.ts",
    "graph/operators.ts",
    "graph/row-pieces.ts",

    "graph/uncopied.ts",
  ]);
});

/** The package of an import: `hyparquet` of `hyparquet/src/column.js`. */
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

test("core imports nothing of a host: only the packages that it depends on", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8"));
  const packages = new Set(imports.filter(({ external }) => external).map(({ to }) => to));
  for (const name of packages) expect(Object.keys(dependencies)).toContain(packageOf(name));
});

test("index.ts and engine.ts are the only files that pass names on, and no other file imports them", () => {
  const passing = [...new Set(imports.filter(({ exported }) => exported).map(({ from }) => from))];
  expect(passing.sort()).toEqual(["engine.ts", "index.ts"]);
  expect(inner.filter(({ to }) => passing.includes(to))).toEqual([]);
});

/** Operators whose gradients are each other. */
const operatorPairs = [
  ["cos", "sin"],
  ["expand", "reduce-sum"],
  ["gather", "scatter-nd"],
  ["gather-elements", "scatter-elements"],
  ["pad", "slice"],
].map((pair) => pair.map((name) => `graph/ops/${name}.ts`));

test("no file imports itself by way of others when the code runs, but for five pairs of operators", () => {
  const paired = (from: string, to: string) => operatorPairs.some((pair) => pair.includes(from) && pair.includes(to));
  for (const [one, other] of operatorPairs) {
    const both = [
      inner.some(({ from, to }) => from === one && to === other),
      inner.some(({ from, to }) => from === other && to === one),
    ];
    expect(both, `${one} and ${other}`).toEqual([true, true]);
  }
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of inner) {
    if (typeOnly || paired(from, to)) continue;
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  expect(importCircles(files, next)).toEqual([]);
});

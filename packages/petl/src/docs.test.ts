import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { methods } from "@petl/core";
import { expect, test } from "vitest";
import { layers as core } from "../../core/src/layers.ts";
import { layers as node } from "./layers.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const text = (path: string) => readFileSync(join(root, path), "utf8");

/** Every page below a folder, without those of packages and builds. */
const pagesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(\..*|node_modules|dist)$/.test(entry.name) ? [] : pagesIn(path);
    return path.endsWith(".md") ? [path] : [];
  });
const pages = pagesIn("");

const withoutCode = (markdown: string) => markdown.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");

/** Headings as links name them: lower case, spaces as hyphens, no other signs. */
const anchorsOf = (markdown: string) =>
  [...markdown.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("every relative link of every page leads to a file or folder, and to a heading where it names one", () => {
  const links = pages.flatMap((page) =>
    [...withoutCode(text(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ page, target })),
  );
  const relative = links.filter(({ target }) => !/^[a-z]+:/.test(target));
  expect(relative.length).toBeGreaterThan(50);
  const broken = relative.filter(({ page, target }) => {
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(root, file))) return true;
    return anchor !== undefined && !anchorsOf(text(file)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test("what the documentation has from declarations is as the build has it: npm run build && node scripts/generate-docs.mjs", () => {
  const { stdout, stderr, status } = spawnSync("node", ["scripts/generate-docs.mjs", "--check"], { cwd: root });
  expect({ stale: stdout.toString(), errors: stderr.toString(), status }).toEqual({ stale: "", errors: "", status: 0 });
});

test("every method has a page, every page a method, and each says all that there is to say", () => {
  const files = readdirSync(join(root, "docs/methods"));
  expect(files.sort()).toEqual(methods.map(({ name }) => `${name}.md`).sort());
  const wanted = ["parameters", "options", "start", "merge", "files", "recipe", "source"];
  for (const { name, source } of methods) {
    const page = text(`docs/methods/${name}.md`);
    expect(anchorsOf(page), name).toEqual([name, ...wanted]);
    expect(page).toContain(`<!-- generated: options ${name} -->`);
    const paper = /arXiv:(\S+?),/.exec(source)?.[1];
    expect(page, `${name} names its paper`).toContain(String(paper));
  }
});

test.each([
  ["packages/core", core],
  ["packages/petl", node],
])("the doors of %s that docs/architecture.md shows are those of its layers.ts", (folder, layers) => {
  const page = text("docs/architecture.md");
  const begin = page.indexOf(`<!-- doors: a test compares this list with ${folder}/src/layers.ts -->`);
  expect(begin).toBeGreaterThan(0);
  const [, list = ""] = /```\n([\s\S]*?)```/.exec(page.slice(begin)) ?? [];
  const shown = list
    .trim()
    .split("\n")
    .map((line) => line.split(/:\s+/));
  const doors = Object.entries(layers).map(([room, next]) => [room, next.join(", ") || "nothing"]);
  expect(shown).toEqual(doors);
});

test("every dependency stands in docs/architecture.md with its version, which is exact", () => {
  const manifests = ["package.json", "packages/core/package.json", "packages/petl/package.json"].map((path) =>
    JSON.parse(text(path)),
  );
  const used = manifests.flatMap(({ dependencies = {}, devDependencies = {} }) =>
    Object.entries({ ...dependencies, ...devDependencies }).map(([name, version]) => `${name} ${version}`),
  );
  const rows = [...text("docs/architecture.md").matchAll(/^\| `([^`]+)` \| (\d+\.\d+\.\d+) \|/gm)];
  const own = (dependency: string) => dependency.startsWith("@petl/");
  expect(rows.map(([, name, version]) => `${name} ${version}`).sort()).toEqual(
    [...new Set(used)].filter((dependency) => !own(dependency)).sort(),
  );
});

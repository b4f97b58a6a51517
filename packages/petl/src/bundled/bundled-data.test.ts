import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readExamples, readTable } from "@petl/core";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../data", import.meta.url));
const tasks = ["messages", "questions", "reviews"] as const;
const users = ["users/cellist", "users/midwife"] as const;
const filesOf = (set: string) => readdirSync(join(root, set)).sort();

interface Row {
  readonly place: string;
  readonly text: string;
  readonly label: string;
}

async function rowsIn(path: string): Promise<readonly Row[]> {
  const { examples, placeOf } = readExamples(await readTable(path, readFileSync(join(root, path))));
  return examples.map((example, index) => {
    const place = placeOf(index);
    if (example.kind !== "text" || typeof example.label !== "string") throw new Error(`${place} is no labelled text`);
    return { place, text: example.text, label: example.label };
  });
}

const rowsOf = async (set: string) => (await Promise.all(filesOf(set).map((file) => rowsIn(`${set}/${file}`)))).flat();

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[a-z0-9']+/g));

/** How many rows each label has, or each word of the given rows. */
function tally(names: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

test("the bundled sets are three tasks and two users, and nothing else lies there", () => {
  expect(readdirSync(root).sort()).toEqual(["README.md", ...tasks, "users"]);
  for (const set of tasks) expect(filesOf(set)).toEqual(["test.csv", "train.csv", "validation.csv"]);
  expect(
    readdirSync(join(root, "users"))
      .map((user) => `users/${user}`)
      .sort(),
  ).toEqual(users);
  for (const set of users) expect(filesOf(set)).toEqual(["test.csv", "train.csv"]);
});

test.each([...tasks, ...users])("in every file of %s all classes have equally many rows", async (set) => {
  const classes = new Set((await rowsOf(set)).map(({ label }) => label));
  expect(classes.size).toBeGreaterThan(1);
  for (const file of filesOf(set)) {
    const counts = tally((await rowsIn(`${set}/${file}`)).map(({ label }) => label));
    expect(counts.size).toBe(classes.size);
    expect(new Set(counts.values()).size, file).toBe(1);
  }
});

test("the tasks have 800 rows or more together, and each tests on a quarter of its rows or more", async () => {
  const sizes = await Promise.all(tasks.map(async (set) => (await rowsOf(set)).length));
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThanOrEqual(800);
  for (const [index, set] of tasks.entries())
    expect((await rowsIn(`${set}/test.csv`)).length / (sizes[index] ?? 0)).toBeGreaterThanOrEqual(0.25);
});

test("no two texts share more than 0.7 of their words, within a file, across files or across sets", async () => {
  const sets = [...tasks, users[0]]; // the users have the same texts
  const rows = (await Promise.all(sets.map(rowsOf))).flat().map((row) => ({ ...row, words: wordsOf(row.text) }));
  const alike = rows.flatMap((row, index) =>
    rows.slice(index + 1).flatMap((other) => {
      const [less, more] = [row.words.size, other.words.size].sort((a, b) => a - b);
      if ((less ?? 0) <= 0.7 * (more ?? 0)) return []; // they cannot share more than the shorter has
      let shared = 0;
      for (const word of row.words) if (other.words.has(word)) shared++;
      const share = shared / (row.words.size + other.words.size - shared);
      return share > 0.7 ? [`${row.place}: ${row.text} / ${other.place}: ${other.text}`] : [];
    }),
  );
  expect(alike).toEqual([]);
});

// A word that marks a class and only it decides at most these rows; with a tenth, ten such words a class would be needed.
test.each([...tasks, ...users])(
  "in %s no word stands in more than a tenth of one class and nowhere else",
  async (set) => {
    const rows = await rowsOf(set);
    const everywhere = tally(rows.flatMap(({ text }) => [...wordsOf(text)]));
    for (const label of new Set(rows.map((row) => row.label))) {
      const own = rows.filter((row) => row.label === label);
      const counts = [...tally(own.flatMap(({ text }) => [...wordsOf(text)]))];
      const telling = counts.filter(([word, count]) => count === everywhere.get(word) && count / own.length > 0.1);
      expect(telling, label).toEqual([]);
    }
  },
);

test("the two users have the same texts in the same files, and disagree on half of them", async () => {
  for (const file of ["train.csv", "test.csv"]) {
    const [one, other] = await Promise.all(users.map((user) => rowsIn(`${user}/${file}`)));
    expect(one?.map(({ text }) => text)).toEqual(other?.map(({ text }) => text));
    const opposite = one?.filter(({ label }, index) => label !== other?.[index]?.label) ?? [];
    expect(opposite.length).toBe((one?.length ?? 0) / 2);
  }
});

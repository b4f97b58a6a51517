import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Paragraph } from "@petl/core";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { linesInPieces, paragraphsOf } from "./paragraphs.ts";
import { digestOfTexts, findTexts, readTexts } from "./text-files.ts";

const scratch = mkdtempSync(join(tmpdir(), "petl-text-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* pieces(texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

/** A text of every form that paragraphs take: wrapped, a line each, with and without empty lines. */
const wrapped =
  "The mill stood by the river, and its wheel went round from the\nearly morning.\n\nNobody lived there.\n";
const long = `${"The miller had three sons and they were all of them idle. ".repeat(4)}\nThe eldest slept.\n`;

test("a gzip file reads as the plain one does, however it is cut into chunks", async () => {
  const text = wrapped.repeat(4000); // more than one chunk of a file
  const [plain, packed] = [join(scratch, "plain.txt"), join(scratch, "packed.txt.gz")];
  writeFileSync(plain, text);
  writeFileSync(packed, gzipSync(text));
  const read = async (path: string) => all(readTexts(await findTexts([path])));
  expect(await read(packed)).toEqual(await read(plain));
  expect((await read(plain)).length).toBe(8000);
});

test("lines do not depend on how the text is cut into pieces", async () => {
  const cut = fc.array(fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r\n", "é") }));
  await fc.assert(
    fc.asyncProperty(cut, async (texts) => {
      const whole = texts.join("");
      const lines = whole.split(/\r?\n/);
      expect(await all(linesInPieces(pieces(texts)))).toEqual(lines.at(-1) === "" ? lines.slice(0, -1) : lines);
    }),
  );
});

test("wrapped lines are joined up to an empty line or the end of a short sentence; long lines stand alone", async () => {
  const paragraphs = (text: string) => all(paragraphsOf(linesInPieces(pieces([text]))));
  expect(await paragraphs(wrapped)).toEqual([
    "The mill stood by the river, and its wheel went round from the early morning.",
    "Nobody lived there.",
  ]);
  expect(await paragraphs(long)).toEqual(
    long
      .trim()
      .split("\n")
      .map((line) => line.trim()),
  );
});

test("of an endless text the first paragraphs come: the text is never held", async () => {
  async function* endless() {
    for (;;) yield wrapped;
  }
  let [count, longest] = [0, 0];
  for await (const paragraph of paragraphsOf(linesInPieces(endless()))) {
    longest = Math.max(longest, paragraph.length);
    if (++count === 5000) break;
  }
  expect(longest).toBeLessThan(100);
});

test("a text without any line end comes in pieces", async () => {
  async function* endless() {
    for (;;) yield "word ".repeat(1000);
  }
  const { value: first } = await linesInPieces(endless())[Symbol.asyncIterator]().next();
  expect(first?.length).toBeGreaterThan(0);
  expect(first?.length).toBeLessThan(2 ** 17);
});

test("a folder's texts come by name, each a document of its own; other files are passed over", async () => {
  const folder = join(scratch, "folder");
  mkdirSync(join(folder, "more"), { recursive: true });
  writeFileSync(join(folder, "b.md"), "Second.");
  writeFileSync(join(folder, "a.txt.gz"), gzipSync("First.\n\nFirst again."));
  writeFileSync(join(folder, "more", "c.txt"), "Third.");
  writeFileSync(join(folder, "picture.png"), "no text");
  const found: readonly Paragraph[] = await all(readTexts(await findTexts([folder])));
  expect(found).toEqual([
    { text: "First.", document: 0 },
    { text: "First again.", document: 0 },
    { text: "Second.", document: 1 },
    { text: "Third.", document: 2 },
  ]);
});

test("the digest changes with any byte of any file", async () => {
  const path = join(scratch, "digest.txt");
  const digest = async (text: string) => {
    writeFileSync(path, text);
    return digestOfTexts(await findTexts([path]));
  };
  expect(await digest("same")).toBe(await digest("same"));
  expect(await digest("same")).not.toBe(await digest("sane"));
});

test.each([
  ["cut.txt.gz", gzipSync("a text that is long enough").subarray(0, 20), /no whole gzip file/],
  ["plain.txt.gz", Buffer.from("no gzip at all"), /no whole gzip file/],
  ["latin.txt", Buffer.from([0x63, 0x61, 0x66, 0xe9]), /not UTF-8/],
])("%s is refused by name", async (name, content, message) => {
  const path = join(scratch, name);
  writeFileSync(path, content);
  const reading = async () => all(readTexts(await findTexts([path])));
  await expect(reading()).rejects.toThrow(message);
  await expect(reading()).rejects.toThrow(name);
});

test("where there is no text, what would be read is said", async () => {
  const empty = join(scratch, "empty");
  mkdirSync(empty);
  await expect(findTexts([empty])).rejects.toThrow(/no text.*\.txt/);
  await expect(findTexts([join(scratch, "nowhere")])).rejects.toThrow(/nowhere/);
});

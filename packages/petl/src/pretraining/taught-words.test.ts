import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { float32, openTokenizer, random } from "@petl/core";
import { afterAll, expect, test } from "vitest";
import { directory } from "../disk/files.ts";
import { baseDigest } from "../library/base-digest.ts";
import { writeTinyBase } from "../library/tiny-base.fake.ts";
import { taughtWords } from "./taught-words.ts";
import { openTeacher } from "./teacher.ts";

const folder = mkdtempSync(join(tmpdir(), "petl-taught-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("words are as far apart as the teacher's vectors of them but for one scale; special tokens stay as drawn", async () => {
  await writeTinyBase(folder, ["the old horse neighed by the gate", "a young cow lowed in the yard"], {});
  const tokenizer = await openTokenizer(directory(folder));
  if (!tokenizer) throw new Error("no tokenizer");
  const record = { base: folder, folder, sha256: await baseDigest(directory(folder)) };
  const [vocabulary, hidden] = [tokenizer.vocabularySize, 16]; // as many axes as the teacher has: nothing is lost
  const drawn = float32([vocabulary, hidden], new Float32Array(vocabulary * hidden));
  random(1, "drawn").fillNormal(drawn.data as Float32Array, 0, 1);
  const table = await taughtWords(drawn, tokenizer, record, 1);
  const row = (id: number) => Array.from(table.data.subarray(id * hidden, (id + 1) * hidden), Number);

  const special = Object.values(tokenizer.specialIds);
  expect(special.length).toBeGreaterThan(0);
  for (const id of special) expect(row(id)).toEqual([...drawn.data.subarray(id * hidden, (id + 1) * hidden)]);

  const words = ["horse", "cow", "gate", "the", "a"];
  const ids = words.map((word) =>
    Array.from({ length: vocabulary }, (_, id) => id).find((id) => tokenizer.tokenOf(id) === word),
  );
  const teacher = await openTeacher(record, 1);
  const vectors = await teacher.vectorsOf(words);
  await teacher.close();
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.hypot(...Array.from(a, (x, i) => x - (b[i] ?? 0)));
  const ratios = words
    .slice(1)
    .map((_, at) => distance(row(ids[0]!), row(ids[at + 1]!)) / distance(vectors[0]!, vectors[at + 1]!));
  for (const ratio of ratios) expect(ratio / ratios[0]!).toBeCloseTo(1, 3); // float32 differences of vectors that are alike
});

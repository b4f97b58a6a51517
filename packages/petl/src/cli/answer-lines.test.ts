import { expect, test } from "vitest";
import { answerLines } from "./answer-lines.ts";

const answer = { label: -1, score: 0.7, scores: { 0: 0.1, 1: 0.2, "-1": 0.7 }, text: 'say "so", then' };

async function written(
  format: "json" | "csv",
  bestFirst: boolean,
  ...answers: readonly object[]
): Promise<readonly string[]> {
  const lines: string[] = [];
  const print = async (line: string) => void lines.push(line);
  const write = answerLines({ format, labels: [-1, 0, 1], bestFirst, print });
  for (const each of answers) await write(each);
  return lines;
}

test("scores stand in the order of their labels' ids, or the best first, also where labels are whole numbers", async () => {
  const line = (scores: string) => `{"label":-1,"score":0.7,"scores":${scores},"text":"say \\"so\\", then"}`;
  expect(await written("json", false, answer)).toEqual([line('{"-1":0.7,"0":0.1,"1":0.2}')]);
  expect(await written("json", true, answer)).toEqual([line('{"-1":0.7,"1":0.2,"0":0.1}')]);
  expect(await written("json", false, { scores: [null, { 1: 0.5, "-1": 0.5 }], id: undefined })).toEqual([
    '{"scores":[null,{"-1":0.5,"1":0.5}]}',
  ]);
});

test("CSV names its columns once, and quotes what parts cells", async () => {
  expect(await written("csv", false, answer, { score: 1, id: undefined })).toEqual([
    "label,score,scores,text",
    '-1,0.7,"{""-1"":0.7,""0"":0.1,""1"":0.2}","say ""so"", then"',
    "1,",
  ]);
});

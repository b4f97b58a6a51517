import { InputError, type Paragraph } from "@petl/core";
import type { PretrainingRecord } from "./record.ts";
import type { StageWatch } from "./stage-watch.ts";
import { digestOfTexts, findTexts, readTexts, type TextFile } from "./text-files.ts";

/**
 * The paragraphs of a run's texts, with a line of progress.
 * @throws InputError where they are no longer those that the run began with
 */
export async function* runParagraphs(
  record: PretrainingRecord,
  what: string,
  { onProgress, signal }: StageWatch,
): AsyncGenerator<Paragraph, void, void> {
  const files = await unchangedFiles(record);
  const of = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const begin = performance.now();
  yield* readTexts(files, {
    signal,
    onRead(done) {
      const secondsLeft = done === 0 ? undefined : (((of - done) / done) * (performance.now() - begin)) / 1000;
      onProgress({ what, done, of, unit: "MB", ...(secondsLeft !== undefined && { secondsLeft }) });
    },
  });
}

async function unchangedFiles({ text, text_sha256 }: PretrainingRecord): Promise<readonly TextFile[]> {
  const files = await findTexts(text);
  if ((await digestOfTexts(files)) === text_sha256) return files;
  throw new InputError(`the texts ${text.join(", ")} have changed since the run began`);
}

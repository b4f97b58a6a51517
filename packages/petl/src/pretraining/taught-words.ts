import { float32, type HostTensor, principalComponents, type Tokenizer } from "@petl/core";
import { openTeacher, type TeacherRecord } from "./teacher.ts";

/**
 * The table of a model that begins where its teacher is: every token's vector is the teacher's for the token's own text,
 * in its principal components, with a mean square length of 1 (the static table of Tulkens & van Dongen 2024, Model2Vec).
 * Special tokens, which the teacher would read as words, keep their drawn vectors.
 *
 * @param drawn [vocabulary, hidden]
 */
export async function taughtWords(
  drawn: HostTensor,
  { specialIds, decode }: Pick<Tokenizer, "specialIds" | "decode">,
  record: TeacherRecord,
  threads: number | undefined,
): Promise<HostTensor> {
  const [vocabulary = 0, hidden = 0] = drawn.shape;
  const special = new Set<number>(Object.values(specialIds));
  const words = Array.from({ length: vocabulary }, (_, id) => id).filter((id) => !special.has(id));
  const teacher = await openTeacher(record, threads);
  try {
    const texts = words.map((id) => decode([id]).replace(/^##/, "")); // WordPiece's mark of a word that goes on
    const vectors = principalComponents(await teacher.vectorsOf(texts), hidden);
    const table = Float32Array.from(drawn.data, Number);
    for (const [at, id] of words.entries()) table.set(vectors[at] ?? [], id * hidden);
    return float32(drawn.shape, table);
  } finally {
    await teacher.close();
  }
}

import { open } from "node:fs/promises";
import { join } from "node:path";
import { float16FromFloat32, float32FromFloat16, InternalError, type StoredRows } from "@petl/core";
import { z } from "zod";
import { directory } from "../disk/files.ts";
import { removeFolderSafely } from "../disk/safe-write.ts";
import { openSealedFolder, writeSealedFolder } from "../disk/sealed-folder.ts";
import type { PretrainingRecord } from "./record.ts";
import { requireSame } from "./require-same.ts";
import type { RowFolder } from "./row-folder.ts";
import type { StageWatch } from "./stage-watch.ts";
import { openTeacher, type Teacher, type TeacherRecord } from "./teacher.ts";

/** The vectors that a teacher gives the texts of rows. */
export interface TeacherVectors {
  readonly size: number;
  at(row: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const facts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const vectorFile = "vectors.f16";
/** Rows whose vectors are computed and written together: what an interruption costs at most. */
const partRows = 1024;

/**
 * The teacher's vectors of all rows, computed where they are not there yet and kept in half precision. They are made part
 * by part, so that a run that was interrupted goes on behind the last whole part.
 */
export async function prepareTeacher(
  { teacher, threads }: Pick<PretrainingRecord, "threads"> & { readonly teacher: TeacherRecord },
  folder: string,
  rows: RowFolder,
  watch: StageWatch,
): Promise<TeacherVectors> {
  const path = join(folder, "teacher");
  const wanted = { ...rows.facts, rows: rows.length, teacher_sha256: teacher.sha256 };
  const found = await openSealedFolder(path, facts);
  if (found) requireSame(path, found, wanted);
  else await writeVectors({ record: teacher, threads, path, rows, wanted }, watch);
  return openVectors(path, rows.length);
}

/** A teacher's vectors of rows, and where they are kept. */
interface Vectors {
  readonly record: TeacherRecord;
  readonly threads: number | undefined;
  readonly path: string;
  readonly rows: RowFolder;
  readonly wanted: Readonly<Record<string, string | number | boolean>>;
}

async function writeVectors({ record, threads, path, rows, wanted }: Vectors, watch: StageWatch): Promise<void> {
  const teacher = await openTeacher(record, threads);
  try {
    const parts = `${path}-parts`;
    const count = Math.ceil(rows.length / partRows);
    const begin = { done: 0, time: performance.now() };
    for (let part = 0; part < count; part++) {
      const [start, end] = [part * partRows, Math.min(rows.length, (part + 1) * partRows)];
      const partFacts = { ...wanted, part };
      const known = await openSealedFolder(partPath(parts, part), facts);
      if (known) requireSame(partPath(parts, part), known, partFacts);
      else await writePart(partPath(parts, part), partFacts, { start, end, rows, teacher, watch });
      if (known) [begin.done, begin.time] = [end, performance.now()];
      const seconds = (performance.now() - begin.time) / 1000;
      const secondsLeft = end === begin.done ? undefined : ((rows.length - end) * seconds) / (end - begin.done);
      watch.onProgress({
        what: "asking the teacher",
        done: end,
        of: rows.length,
        unit: "rows",
        ...(secondsLeft !== undefined && { secondsLeft }),
      });
    }
    await writeSealedFolder(path, async (into) => {
      await into.write(vectorFile, partsOf(parts, count));
      return { ...wanted, size: teacher.size };
    });
    await removeFolderSafely(parts);
  } finally {
    await teacher.close();
  }
}

const partPath = (parts: string, part: number) => join(parts, String(part).padStart(6, "0"));

interface Part {
  readonly start: number;
  readonly end: number;
  readonly rows: RowFolder;
  readonly teacher: Teacher;
  readonly watch: StageWatch;
}

async function writePart(
  path: string,
  partFacts: Readonly<Record<string, string | number | boolean>>,
  { start, end, rows, teacher, watch }: Part,
): Promise<void> {
  const places = Array.from({ length: end - start }, (_, i) => start + i);
  const texts = await Promise.all(places.map((row) => rows.textAt(row)));
  watch.signal.throwIfAborted();
  const found = await teacher.vectorsOf(texts);
  watch.signal.throwIfAborted();
  await writeSealedFolder(path, async (into) => {
    await into.write(
      vectorFile,
      found.map((vector) => bytesOf(float16FromFloat32(vector))),
    );
    return partFacts;
  });
}

async function* partsOf(parts: string, count: number): AsyncGenerator<Uint8Array, void, void> {
  for (let part = 0; part < count; part++) {
    const source = await directory(partPath(parts, part)).open(vectorFile);
    yield await source.read(0, source.size);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array) => new Uint8Array(buffer, byteOffset, byteLength);

async function openVectors(path: string, rows: number): Promise<TeacherVectors> {
  const handle = await open(join(path, vectorFile), "r");
  const { size: bytes } = await handle.stat();
  const width = bytes / rows;
  return {
    size: width / 2,
    async at(row) {
      const raw = new Uint8Array(width);
      const { bytesRead } = await handle.read(raw, 0, width, row * width);
      if (bytesRead !== width) throw new InternalError(`${path}: ${bytesRead} of ${width} bytes of row ${row}`);
      return float32FromFloat16(new Uint16Array(raw.buffer));
    },
    close: () => handle.close(),
  };
}

/** The rows with the vectors that a teacher gives their texts. */
export const withTeacher = (rows: StoredRows, vectors: TeacherVectors): StoredRows => ({
  length: rows.length,
  lengths: rows.lengths,
  at: async (row) => ({ ...(await rows.at(row)), teacher: await vectors.at(row) }),
});

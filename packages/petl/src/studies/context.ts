import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Budget, budgets, InputError, type Label, parsedJson, type Schema, type Task, tasks } from "@petl/core";
import { z } from "zod";
import { writeFileSafely } from "../disk/safe-write.ts";
import { explainFileError, systemCode } from "../machine-error.ts";

/** What a study in a folder is, whole: study.json. Cells need nothing else but the folder's rows. */
export interface StudyContext {
  readonly study: string;
  readonly budget: Budget;
  readonly seeds: number;
  readonly methods: readonly string[] | null;
  /** trained parameters that methods are held to; left out where they are not */
  readonly parameters?: number | undefined;
  /** the base as a training is told of it */
  readonly base: string;
  readonly base_sha256: string;
  /** of the files that make tokens of text; studies that an earlier petl began have none */
  readonly tokenizer_sha256?: string | undefined;
  readonly task: Task;
  readonly labels: readonly Label[];
  readonly max_length: number | null;
  readonly rows: number;
  readonly fewest_rows: number;
  /** flags of `petl train` that say how the rows in data/ are read */
  readonly columns: Readonly<Record<string, string>>;
  /** SHA-256 of the files in data/ */
  readonly train_sha256: string;
  readonly score_sha256: string;
  readonly source_sha256: string | null;
}

const studyContext: Schema<StudyContext> = z.strictObject({
  study: z.string(),
  budget: z.enum(budgets),
  seeds: z.int().positive(),
  methods: z.array(z.string()).nullable(),
  parameters: z.int().positive().optional(),
  base: z.string(),
  base_sha256: z.string(),
  tokenizer_sha256: z.string().optional(),
  task: z.enum(tasks),
  labels: z.array(z.union([z.string(), z.number(), z.boolean()])),
  max_length: z.int().positive().nullable(),
  rows: z.int().positive(),
  fewest_rows: z.int().positive(),
  columns: z.record(z.string(), z.string()),
  train_sha256: z.string(),
  score_sha256: z.string(),
  source_sha256: z.string().nullable(),
});

const fileName = "study.json";

export async function writeContext(out: string, context: StudyContext): Promise<void> {
  await writeFileSafely(join(out, fileName), [new TextEncoder().encode(`${JSON.stringify(context, undefined, 2)}\n`)]);
}

/** The study in a folder; undefined where there is none. */
export async function readContext(out: string): Promise<StudyContext | undefined> {
  const path = join(out, fileName);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw explainFileError(error, "read", path);
  });
  if (text === undefined) return undefined;
  const parsed = studyContext.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new InputError(`${path} is not what petl writes there; name another folder, or replace it with \`overwrite\``);
}

const names: Readonly<Record<keyof StudyContext, string>> = {
  study: "the study",
  budget: "`budget`",
  seeds: "`seeds`",
  methods: "`methods`",
  parameters: "`parameters`",
  base: "`base`",
  base_sha256: "the base's weights",
  tokenizer_sha256: "the base's tokenizer",
  task: "`task`",
  labels: "the labels",
  max_length: "`maxLength`",
  rows: "`trainRows`",
  fewest_rows: "the rows",
  columns: "the columns",
  train_sha256: "the training rows",
  score_sha256: "the scoring rows",
  source_sha256: "the source text",
};

/** @throws InputError that names all in which a folder's study differs from the one that is asked for */
export function refuseOther(out: string, found: StudyContext, asked: StudyContext): void {
  const differing = differences(found, asked, Object.keys(names) as (keyof StudyContext)[]);
  if (differing.length === 0) return;
  const said = differing.map((what) => `\`out\` ${out} holds a study that differs in ${what}`);
  throw new InputError([...said, "name another folder, or replace it with `overwrite`"]);
}

/** All that a study's trainings depend on beside their own settings. */
const ground = [
  ...(["base_sha256", "tokenizer_sha256", "task", "labels", "max_length"] as const),
  ...(["columns", "train_sha256", "score_sha256"] as const),
];

/** @throws InputError that names all in which another study's base and rows differ from those of the one that is asked for */
export function refuseOtherGround(folder: string, found: StudyContext, asked: StudyContext): void {
  const differing = differences(found, asked, ground);
  if (differing.length === 0) return;
  throw new InputError(
    differing.map((what) => `\`reuse\` ${folder} holds a study of another base or other rows; it differs in ${what}`),
  );
}

/** What differs of some of a study's context, in words; a tokenizer that an earlier petl has not told is taken for the same. */
function differences(found: StudyContext, asked: StudyContext, keys: readonly (keyof StudyContext)[]) {
  return keys.flatMap((key) => {
    const isUnknown = key === "tokenizer_sha256" && found[key] === undefined;
    const [old, now] = [found[key], asked[key]].map((value) => JSON.stringify(value));
    if (isUnknown || old === now) return [];
    const brief = (old ?? "").length + (now ?? "").length < 120 && !key.endsWith("sha256");
    return [`${names[key]}${brief ? `: ${old} there, ${now} now` : ""}`];
  });
}

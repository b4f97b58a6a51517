import { isAbsolute, join, resolve } from "node:path";
import {
  type Base,
  budgetSizes,
  columnSettings,
  drawRows,
  type ExampleSet,
  findPurpose,
  InputError,
  isLabelled,
  isLanguageModel,
  methods as known,
  pickSettings,
  readBase,
  type SettingInputs,
  type Setup,
  type Study,
  shown,
  studies,
  suggestion,
  type Task,
} from "@petl/core";
import { bundledBases } from "../bundled/bundled-bases.ts";
import { bundledData } from "../bundled/bundled-data.ts";
import { type DataAccess, findData } from "../data/find-data.ts";
import { readData } from "../data/read-data.ts";
import { directory } from "../disk/files.ts";
import { sha256 } from "../disk/sha256.ts";
import { tokenizerDigest, weightsDigest } from "../library/digests.ts";
import { locate } from "../library/locate.ts";
import { setupOf } from "./bench.ts";
import type { StudyContext } from "./context.ts";
import { equalBudget } from "./equal-budget.ts";
import { ownMethods } from "./own-methods.ts";
import { readRequest, type requestSettings } from "./request-settings.ts";
import { fewestRows, rowLines } from "./row-files.ts";
import { languageTask } from "./source-loss.ts";
import type { StudySets } from "./study-rows.ts";

/** What a study is asked for. */
export interface StudyRequest extends SettingInputs<typeof requestSettings>, DataAccess {
  /** a folder, a hub id or a bundled name */
  readonly base: string;
  /** a folder with training rows and test or validation rows, or a file with `validation` beside it */
  readonly data: string;
  readonly validation?: string | undefined;
  /** text of the source task */
  readonly source?: string | undefined;
}

/** A study that is ready to begin. */
export interface PreparedStudy {
  readonly study: Study;
  readonly context: StudyContext;
  /** of the base on this machine */
  readonly folder: string;
  readonly base: Base;
  readonly setup: Setup;
  readonly sets: StudySets;
  /** what was guessed, in words */
  readonly remarks: readonly string[];
}

/**
 * Finds base and rows, and draws those to train on.
 * @throws InputError with all that is wrong
 */
export async function prepareStudy(name: string, request: StudyRequest): Promise<PreparedStudy> {
  const study = studyNamed(name);
  const asked = readRequest(request);
  refuseMethods(asked, study);
  const { budget, seeds = budgetSizes[budget].seeds, methods = null, parameters } = asked;
  const { offline, signal, onProgress } = request;
  const folder = await locate(request.base, {
    ...(offline !== undefined && { offline }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  const base = await readBase(directory(folder));
  const { train: all, score } = await rowsOf(request);
  const { task, labels, remarks } = findPurpose(base, all, asked);
  refuseUnlabelled(all, task);
  const rows = asked.trainRows ?? Math.min(all.examples.length, budgetSizes[budget].rows ?? Number.POSITIVE_INFINITY);
  const train = drawRows(all, rows);
  const source = await sourceOf(request.source, study, request);
  if (source) languageTask({ config: base.config, name: request.base });
  const goal = { task, labels: Math.max(1, labels.length) };
  const own = ownMethods(study, budget, base, goal);
  const equal = parameters === undefined ? undefined : equalBudget(base, goal, methods ?? own.names, parameters);
  const digestOf = (set: ExampleSet) => sha256(rowLines(set));
  const context: StudyContext = {
    study: study.name,
    budget,
    seeds,
    methods,
    ...(parameters !== undefined && { parameters }),
    base: await baseName(request.base, folder),
    base_sha256: await weightsDigest(directory(folder), signal),
    tokenizer_sha256: await tokenizerDigest(directory(folder)),
    task,
    labels: [...labels],
    max_length: asked.maxLength ?? null,
    rows: train.examples.length,
    fewest_rows: fewestRows(train),
    columns: columnsOf(train),
    train_sha256: digestOf(train),
    score_sha256: digestOf(score),
    source_sha256: source ? digestOf(source.set) : null,
  };
  return {
    study,
    context,
    folder: resolve(folder),
    base,
    setup: setupOf(context, base),
    sets: { train, score, source: source?.set },
    remarks: [...remarks, ...(methods ? [] : own.remarks), ...(equal?.remarks ?? []), ...(source?.remarks ?? [])],
  };
}

/** @throws InputError for names of methods that are none, or where none are taken */
function refuseMethods(
  { methods: asked, parameters }: Pick<StudyRequest, "methods" | "parameters">,
  study: Study,
): void {
  if (parameters !== undefined && !study.equalises)
    throw new InputError(
      `\`parameters\` does not go with ${study.name}; studies that hold their methods to one number of parameters: ${studies
        .filter(({ equalises }) => equalises)
        .map((each) => each.name)
        .join(", ")}`,
    );
  if (asked && !study.methods)
    throw new InputError(`\`methods\` does not go with ${study.name}, which looks at methods of its own`);
  const names = known.map(({ name }) => name);
  const problems = (asked ?? []).filter((name) => !names.includes(name));
  if (problems.length > 0)
    throw new InputError(
      problems.map((name) => `there is no method "${name}"${suggestion(name, names)}; methods: ${names.join(", ")}`),
    );
}

function studyNamed(name: unknown): Study {
  const names = studies.map((study) => study.name);
  const found = studies.find((study) => study.name === name);
  if (found) return found;
  throw new InputError(
    `there is no study ${shown(name)}${suggestion(String(name), names)}; studies: ${names.join(", ")}`,
  );
}

/** The training rows, and those that `petl evaluate` takes: test, else validation. */
async function rowsOf(request: StudyRequest) {
  const { data, validation } = request;
  const files = await findData(data, "train", request);
  const beside = validation === undefined ? undefined : await findData(validation, "validation", request);
  const score = files.test ?? beside?.test ?? beside?.validation ?? files.validation;
  const problems = [
    ...(files.train ? [] : [`${data} holds no training file; name one train.csv, .tsv, .jsonl or .parquet`]),
    ...(score ? [] : [`${data} holds no test or validation rows to score on; name some with \`validation\``]),
  ];
  if (!files.train || !score || problems.length > 0) throw new InputError(problems);
  const columns = pickSettings(columnSettings, request);
  return { train: (await readData(files.train, columns)).set, score: (await readData(score, columns)).set };
}

function refuseUnlabelled(set: ExampleSet, task: Task): void {
  if (isLanguageModel(task) || isLabelled(set)) return;
  throw new InputError(`${set.name} has no labels to learn from; name their column with \`label\``);
}

/** The text of the source task: that which was named, else, where a study needs some, the texts of petl's own sets. */
async function sourceOf(path: string | undefined, { readsSource }: Study, access: DataAccess) {
  if (path === undefined && !readsSource) return undefined;
  if (path === undefined) {
    const files = (["messages", "questions", "reviews"] as const).map((name) => join(bundledData(name), "test.csv"));
    const { set } = await readData(
      files.map((file) => ({ path: file, weight: 1 })),
      {},
    );
    const remark = `no \`source\`: what is forgotten is measured on ${set.examples.length} texts of petl's own sets`;
    return { set: withoutLabels(set), remarks: [remark] };
  }
  const files = await findData(path, "train", access);
  const found = files.test ?? files.validation ?? files.train;
  if (!found) throw new InputError(`\`source\` ${path} holds no text`);
  return { set: withoutLabels((await readData(found, {})).set), remarks: [] };
}

const withoutLabels = (set: ExampleSet): ExampleSet => ({
  ...set,
  examples: set.examples.map((example) => {
    if (example.kind !== "text") return example;
    const { label: _, ...text } = example;
    return text;
  }),
});

/** The base as a training that starts in another folder is told of it: names and hub ids as they are, paths whole. */
async function baseName(given: string, folder: string): Promise<string> {
  if ((await bundledBases()).includes(given) && resolve(given) !== resolve(folder)) return given;
  const isHubId = !isAbsolute(given) && resolve(given) !== resolve(folder);
  return isHubId ? given : resolve(folder);
}

/** The flags that say how the rows in the study's folder are read. */
function columnsOf({ examples: [first] }: ExampleSet): Readonly<Record<string, string>> {
  if (first?.kind !== "text") return {};
  return {
    text: "text",
    ...(first.pair !== undefined && { textPair: "text_pair" }),
    ...(first.label !== undefined && { label: "label" }),
  };
}

import type { Figure, FigureTable } from "../figures/figure.ts";
import type { Model } from "../nn/model.ts";
import type { Task } from "../objectives/objectives.ts";
import type { Bench } from "./bench.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** The settings that tell a cell from the others of its study. */
export type Cell = Readonly<Record<string, Json>>;

export const budgets = ["quick", "standard", "paper"] as const;
export type Budget = (typeof budgets)[number];

/** Which of the drawn training rows: all, four fifths of them (a rate is chosen on the other fifth), or the first so many. */
export type FitRows = "all" | "selection" | number;

/** A training of a study's, whole but for its seed. */
export interface Fit {
  readonly method: string;
  /** as `petl train` takes them; defaults are left out */
  readonly options: Readonly<Record<string, Json>>;
  readonly lr: number;
  /** of the optimizer */
  readonly steps: number;
  readonly batch: number;
  readonly schedule: "linear" | "constant";
  readonly rows: FitRows;
}

/** What a study's grid depends on. */
export interface Setup {
  readonly budget: Budget;
  readonly seeds: number;
  readonly task: Task;
  /** how many training rows there are */
  readonly rows: number;
  /** the fewest of them, from the first on, that hold every label */
  readonly fewestRows: number;
  readonly model: Pick<Model, "sizes" | "conventions">;
  /** the linear layers' paths */
  readonly linearLayers: readonly string[];
  /** those that are looked at; none where the study takes none */
  readonly methods: readonly string[];
  /** the options of each of them, where all are held to one number of trained parameters */
  readonly equalOptions?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** whether there is text of the source task */
  readonly hasSource: boolean;
}

/** A training whose rate other cells decide: it waits, and costs what this one does. */
export interface Waiting {
  readonly waits: Fit;
}

/** A cell of the grid with the training that it comes of. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly seed: number;
  /** null where nothing is trained */
  readonly fit: Fit | Waiting | null;
  /** of the optimizer, for this cell alone */
  readonly steps: number;
}

export const isWaiting = (fit: PlannedCell["fit"]): fit is Waiting => fit !== null && "waits" in fit;

/** Cells that come of one training. */
export interface Job {
  readonly fit: Fit | null;
  readonly seed: number;
  readonly cells: readonly Cell[];
}

/** What each scoring row gave: of 1 and 0, or of sums with their weights, the score is the mean; of numbers the correlation. */
export interface Outcomes {
  readonly values: readonly number[];
  /** how many items each value is the sum of; 1 where left out */
  readonly weights?: readonly number[];
  /** the numbers that were to be given */
  readonly actual?: readonly number[];
}

/** What a cell's work finds. */
export interface Measured {
  readonly train: Readonly<Record<string, Json>> | null;
  readonly score: number | null;
  readonly score_name: string;
  readonly scores: Readonly<Record<string, number>>;
  readonly loss: number | null;
  readonly trained_parameters: number;
  readonly head_parameters: number;
  readonly base_parameters: number;
  readonly trainable_ratio: number;
  readonly seconds: number;
  readonly peak_rss_bytes: number;
  readonly adapter_bytes: number;
  readonly phi_sha256: string | null;
  readonly data_sha256: string;
  readonly outcomes?: Outcomes;
  /** the score on the fifth of the training rows that a rate is chosen on */
  readonly held_out_score?: number;
  /** the base's own loss on source text with the trained body */
  readonly source_loss?: number;
  readonly vectors_90?: number;
  /** the leading right singular vectors of LoRA's A at one layer */
  readonly leading_directions?: { readonly site: string; readonly vectors: readonly (readonly number[])[] };
  /** of the ten leading singular vectors, those that the base's matrix does not have */
  readonly intruder_dimensions?: number;
  readonly singular_values?: readonly number[];
}

/** A finished cell: a line of records.jsonl. */
export interface StudyRecord extends Measured {
  readonly study: string;
  readonly cell: Cell;
  readonly seed: number;
  readonly base_sha256: string;
  readonly petl: string;
  /** the study whose training this is, where another one's record was taken over: its seconds and memory are of then */
  readonly taken_from?: string;
}

/** What a study says of a claim, from its numbers alone. */
export interface Finding {
  readonly claim: string;
  readonly holds: boolean | "undecided";
  readonly evidence: string;
}

/** An experiment: one file in studies, one line in studies.ts. */
export interface Study {
  readonly name: string;
  readonly question: string;
  /** the paper and the section or figure */
  readonly source: string;
  /** the methods that it looks at where none are asked for; left out where methods are not to be chosen */
  readonly methods?: Readonly<Record<Budget, readonly string[]>>;
  /** whether its methods may be held to one number of trained parameters */
  readonly equalises?: boolean;
  /** whether it looks at matrices alone */
  readonly scoresNothing?: boolean;
  /** whether it cannot do without text of the source task */
  readonly readsSource?: boolean;
  /**
   * Every cell, those that wait for `records` of others among them.
   * @throws InputError where base, data or methods are not for this study
   */
  plan(setup: Setup, records: readonly StudyRecord[]): readonly PlannedCell[];
  /**
   * Whether a cell's record says no more than any study says of its training, so that another study's record of the same
   * training serves as well; no cell's does where left out.
   */
  tellsTrainingOnly?(cell: Cell): boolean;
  /** Does the work of some cells of one training. */
  work(bench: Bench, job: Job): AsyncIterable<{ readonly cell: Cell; readonly measured: Measured }>;
  figures(records: readonly StudyRecord[]): readonly Figure[];
  findings(records: readonly StudyRecord[]): readonly Finding[];
  /** its cells side by side with more than their scores */
  table?(records: readonly StudyRecord[], settings: Readonly<Record<string, Json>>): FigureTable;
  /** further fields of the summary */
  summary?(records: readonly StudyRecord[]): Readonly<Record<string, Json>>;
}

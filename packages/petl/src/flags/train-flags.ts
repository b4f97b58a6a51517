import {
  adaptSettings,
  cacheSettings,
  columnSettings,
  count,
  natural,
  purposeSettings,
  real,
  recipeSettings,
  tokenSettings,
  trainingSettings,
} from "@petl/core";
import { trackerForms } from "../trackers/trackers.ts";
import { type FlagValues, text, texts, toggle } from "./flags.ts";
import { deviceFlag, offlineFlag } from "./shared-flags.ts";

/** What a run is asked for, whole: the flags, the keys of a config file, and what run.json records. */
export const requestFlags = {
  base: text("BASE", "the base model: a folder, a hub id (owner/name[@revision]) or a bundled name"),
  data: texts("DATA", "a data file, or a folder with train, validation and test files; several are joined"),
  method: text("METHOD", "the method, or several joined by +; `petl methods` lists them"),
  init: text("ADAPTER", "start from this adapter"),
  ...purposeSettings,
  ...columnSettings,
  ...adaptSettings,
  ...tokenSettings,
  ...recipeSettings,
  ...trainingSettings,
  checkpointEvery: natural(200, trainingSettings.checkpointEvery.help),
  dropout: real(undefined, "the method's dropout where it has one, otherwise the base's own", {
    placeholder: "P",
    otherwise: "0",
  }),
  ...cacheSettings,
  logTo: texts("KIND:PLACE", `tell numbers to a tracker too (${trackerForms}); several may be given`),
  logEvery: count(1, "steps between lines of metrics.jsonl"),
  threads: count(undefined, "threads that share the work", { otherwise: "the machine's cores" }),
  device: deviceFlag,
};
export type RequestFlags = FlagValues<typeof requestFlags>;

/** What `petl train` can be told, besides the methods' options. */
export const trainFlags = {
  ...requestFlags,
  out: text("DIR", "the folder that receives adapter, metrics.jsonl and run.json"),
  resume: text("DIR", "go on with the run in this folder; needs nothing else"),
  report: text("FILE", "an HTML page of the run: curves, confusion, the rows answered worst, the model card"),
  overwrite: toggle(false, "replace what --out holds"),
  offline: offlineFlag,
};
export type TrainFlags = FlagValues<typeof trainFlags>;

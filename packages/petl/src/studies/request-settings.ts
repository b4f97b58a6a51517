import {
  columnSettings,
  count,
  needed,
  purposeSettings,
  readSettings,
  requireOptions,
  studySettings,
  text,
  textList,
  toggle,
  tokenSettings,
} from "@petl/core";

/** What a study may be told beside base and data: the options of the library and the flags of `petl study`. */
export const requestSettings = {
  ...studySettings,
  task: purposeSettings.task,
  ...columnSettings,
  maxLength: tokenSettings.maxLength,
};

/** Where a study finds its rows, and how it is carried out: options and flags too. */
export const carryingSettings = {
  data: needed(
    text("DATA", "a folder with training and test or validation rows, or a file with `validation` beside it"),
  ),
  validation: text("DATA", "rows to score on, where `data` has none"),
  source: text("DATA", "text of the source task, whose forgetting is measured"),
  jobs: count(undefined, "cells at a time, each a process of its own", { otherwise: "the machine's cores" }),
  reuse: textList(
    "FOLDERS",
    "folders of other studies of the same base and rows, joined by commas: a training that one of them has finished is not run again",
    { form: "FOLDER, several joined by commas" },
  ),
  out: text("DIR", "the folder for records, summary, figures and report", "petl-study-NAME"),
  overwrite: toggle(false, "replace the study that `out` holds"),
};

/** Options of the library that are no settings. */
const beside = ["offline", "onProgress", "onRemark", "queue", "signal"];

/** What a program asks of a study. @throws InputError with everything that is wrong, unknown names among it */
export function readRequest(request: object) {
  const given = Object.entries(requireOptions(request)).filter(([name]) => !beside.includes(name));
  const base = needed(text("BASE", "the base model"));
  return readSettings({ base, ...carryingSettings, ...requestSettings }, Object.fromEntries(given));
}

import { columnSettings, purposeSettings, studySettings, tokenSettings } from "@petl/core";

/** What a study may be told beside base and data: the options of the library and the flags of `petl study`. */
export const requestSettings = {
  ...studySettings,
  task: purposeSettings.task,
  ...columnSettings,
  maxLength: tokenSettings.maxLength,
};

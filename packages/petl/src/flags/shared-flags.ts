import { deviceNames } from "@petl/core";
import { neededText, optionalChoice, toggle } from "./flags.ts";

/** The base of verbs that need one. */
export const baseFlag = neededText(
  "BASE",
  "the base model: a folder, a hub id (owner/name[@revision]) or a bundled name",
);
/** What computes; one that is not there ends the command. */
export const deviceFlag = optionalChoice(deviceNames, "what computes (cpu)");

/** Whether what lies on the disk has to do. */
export const offlineFlag = toggle(false, "never touch the network");

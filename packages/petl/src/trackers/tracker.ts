import { isRecord } from "@petl/core";
/** A run as a tracker is told of it at its beginning. */
export interface TrackedRun {
  /** the run's name; the last part of its folder */
  readonly name: string;
  /** the run's settings, as run.json has them */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Where a run's numbers go beside its own metrics.jsonl. */
export interface Tracker {
  /** Notes numbers of one step, by their names. `seconds` is the time since 1970. */
  log(step: number, values: Readonly<Record<string, number>>, seconds: number): void;
  /** Waits until everything is where it belongs. */
  close(outcome: "finished" | "failed" | "stopped"): Promise<void>;
}

/** A kind of tracker: one file in trackers, one line in trackers.ts. */
export interface TrackerKind {
  /** what stands in front of the colon of `--log-to` */
  readonly name: string;
  /** what stands behind it */
  readonly place: "DIR" | "URL";
  /** asks whether it can be told a run, where that may fail at once; as `open` it throws where not */
  reach?(place: string): Promise<void>;
  /**
   * @throws InputError for a place that cannot be one
   * @throws MachineError where the place cannot be reached
   */
  open(place: string, run: TrackedRun): Promise<Tracker>;
}

/** The numbers of a nested record by their paths, `evaluation/loss`; what is no finite number is left out. */
export function scalarsOf(record: Readonly<Record<string, unknown>>, path = ""): Readonly<Record<string, number>> {
  const entries = Object.entries(record).flatMap(([name, value]): readonly (readonly [string, number])[] => {
    if (typeof value === "number") return Number.isFinite(value) ? [[path + name, value]] : [];
    return isRecord(value) ? Object.entries(scalarsOf(value, `${path}${name}/`)) : [];
  });
  return Object.fromEntries(entries);
}

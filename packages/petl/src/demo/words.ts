import type { MadeBase } from "./demo-base.ts";
import { overlaps, type Share } from "./interval.ts";
import type { MethodRow, TourResult } from "./tour.ts";

export const percent = (share: number): string =>
  share === 0 ? "0 %" : `${(100 * share).toPrecision(share > 0.0995 ? 3 : 2)} %`;
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
export const kilobytes = (bytes: number): string => `${(bytes / 1e3).toFixed(bytes < 1e5 ? 1 : 0)} kB`;

/** `75 % (64–84 %)` */
export const shareText = ({ share, low, high }: Share): string =>
  `${Math.round(100 * share)} % (${Math.round(100 * low)}–${Math.round(100 * high)} %)`;

export const baseText = ({
  layers,
  hidden,
  vocabulary,
  parameters,
  rows,
  labels,
  seconds,
  accuracy,
}: MadeBase): string =>
  `base: ${layers} layers of ${hidden}, ${whole(vocabulary)} word pieces, ${whole(parameters)} parameters; made and trained in ${seconds.toFixed(1)} s on ${rows} messages to a shop (${labels.join(", ")}); of ${accuracy.of} others ${accuracy.right} right, ${shareText(accuracy)}`;

export const targetText = ({ train, held_out, labels }: TourResult["target"]): string =>
  `target: ${train} messages of hotel guests (${labels.join(", ")}); accuracy is on ${held_out} others, with its 95 % interval`;

/** The columns of the comparison. */
export const columns = ["method", "base", "trained", "of base", "head", "accuracy", "seconds", "adapter"] as const;

export const cellsOf = (row: MethodRow): readonly string[] => [
  row.method,
  row.base,
  whole(row.trained_parameters),
  percent(row.trainable_ratio),
  `+${whole(row.head_parameters)}`,
  shareText(row.accuracy),
  row.seconds.toFixed(1),
  kilobytes(row.adapter_bytes),
];

/** What this run says, and how sure it is of it; every sentence is made of the run's own numbers. */
export function findings({
  rows,
  base,
  base_unchanged,
  asked,
  asked_seconds,
  target,
  seconds,
}: TourResult): readonly string[] {
  const own = rows.filter((row) => row.base === "trained");
  const { overlapping, pairs } = overlaps(own.map(({ accuracy }) => accuracy));
  const sum = own
    .filter(({ method }) => method !== "full")
    .reduce((total, { adapter_bytes }) => total + adapter_bytes, 0);
  return [
    ...rows.filter((row) => row.base === "untrained").flatMap((control) => comparison(control, own)),
    `the intervals of ${overlapping} of the ${pairs} pairs of methods on the trained base overlap: ${target.held_out} rows do not tell those apart`,
    `the base's ${kilobytes(base.bytes)} are ${base_unchanged ? "the same bytes as" : "NOT the bytes that they were"} before the first adapter; all adapters but full take ${kilobytes(sum)} together`,
    `${asked[0]?.answers.length ?? 0} adapters on one open base were loaded and asked ${asked.length} questions in ${asked_seconds.toFixed(2)} s`,
    `learning rates were chosen by hand on this task: ${own.map(({ method, lr }) => `${method} ${lr}`).join(", ")}`,
    `${seconds.toFixed(0)} s in all; one seed, one split, a base of ${whole(base.parameters)} parameters that has read ${base.rows} messages: these numbers are about this run only`,
  ];
}

/** What the base's own training was good for, by a method with it and without. */
function comparison(control: MethodRow, own: readonly MethodRow[]): readonly string[] {
  const same = own.find(({ method }) => method === control.method);
  if (!same) return [];
  const apart = overlaps([control.accuracy, same.accuracy]).overlapping === 0;
  return [
    `${control.method}: ${shareText(same.accuracy)} on the trained base, ${shareText(control.accuracy)} on the untrained one; the intervals ${apart ? "do not overlap" : "overlap"}`,
  ];
}

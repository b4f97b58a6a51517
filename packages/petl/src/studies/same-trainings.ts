import { canonical, type Fit, InputError, isWaiting, type Json, type PlannedCell, type StudyRecord } from "@petl/core";

/**
 * Asks whether the records of a folder come of the trainings that its study plans: another petl may have left them there that
 * chose its rates otherwise, and a study of both would compare what is not alike.
 *
 * @throws InputError that names the first record in the way
 */
export function refuseOtherTrainings(
  out: string,
  planned: readonly PlannedCell[],
  records: readonly StudyRecord[],
): void {
  const fits = new Map(planned.map(({ cell, seed, fit }) => [`${canonical(cell)} ${seed}`, fit]));
  for (const { cell, seed, train, petl } of records) {
    const fit = fits.get(`${canonical(cell)} ${seed}`);
    if (!fit || !train) continue;
    const differing = isWaiting(fit) ? [["lr", "that is not chosen yet"] as const] : differences(train, fit);
    if (differing.length === 0) continue;
    const said = differing.map(([key, now]) => `${key} ${JSON.stringify(train[key])} there, ${now} now`).join(", ");
    throw new InputError([
      `\`out\` ${out} holds a record of ${JSON.stringify(cell)} from petl ${petl} that was trained otherwise: ${said}`,
      "name another folder, or replace it with `overwrite`",
    ]);
  }
}

/** Settings of the plan that a record's training had otherwise; its steps may be fewer, where it is one of several moments. */
function differences(train: Readonly<Record<string, Json>>, { method, options, lr, batch, schedule }: Fit) {
  const wanted: Readonly<Record<string, Json>> = { method, ...options, lr, batch, schedule };
  return Object.entries(wanted).flatMap(([key, now]) =>
    canonical(train[key] ?? null) === canonical(now) ? [] : [[key, JSON.stringify(now)] as const],
  );
}

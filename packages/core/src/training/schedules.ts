/** How the learning rate moves over a run. */
export const schedules = ["constant", "linear", "cosine"] as const;
type Schedule = (typeof schedules)[number];

/**
 * The factor of the learning rate at a step counted from 0: step / warmup during warm-up, then 1 (constant), falling in
 * a line to 0 at the end (linear), or as (1 + cos πp) / 2 with p the share of the way done (cosine: Loshchilov & Hutter
 * 2016, arXiv:1608.03983). The same as transformers' get_*_schedule_with_warmup.
 */
export function scheduleFactor(schedule: Schedule, step: number, warmup: number, steps: number): number {
  if (step < warmup) return step / Math.max(1, warmup);
  if (schedule === "constant") return 1;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return schedule === "linear" ? Math.max(0, 1 - done) : Math.max(0, (1 + Math.cos(Math.PI * done)) / 2);
}

import type { Figure } from "../figures/figure.ts";
import { bootstrap, holm, meanOver } from "../statistics/bootstrap.ts";
import { chanceText, signed } from "./findings.ts";
import { leastSites, middleRange, nameOf } from "./spectrum-names.ts";
import type { Finding, Json, StudyRecord } from "./study.ts";

/** How many foreign directions each tuning has brought in. */
export const intruderFigure = (records: readonly StudyRecord[]): Figure => ({
  kind: "categories",
  name: "intruder-dimensions",
  items: intrudersOf(records),
  title:
    "Intruder dimensions among the ten leading singular vectors, mean over sites, with the range of the middle 90 %",
  y: "intruder dimensions of ten",
});

/** Of every tuned kind the mean number of intruders, over sites and seeds. */
function intrudersOf(records: readonly StudyRecord[]) {
  const tuned = records.filter(({ cell }) => cell.matrix === "tuned");
  return [...new Set(tuned.map(({ cell }) => nameOf(cell)))].map((name) => {
    const counts = tuned
      .filter(({ cell }) => nameOf(cell) === name)
      .map(({ intruder_dimensions = 0 }) => intruder_dimensions);
    return middleRange(name, counts);
  });
}

/** Whether each LoRA has more intruders than full fine-tuning, in pairs of the same site and seed. */
export function intruderFindings(records: readonly StudyRecord[]): readonly Finding[] {
  const tuned = records.filter(({ cell }) => cell.matrix === "tuned");
  const sites = [...new Set(tuned.map(({ cell }) => cell.site))];
  const seeds = [...new Set(tuned.map(({ seed }) => seed))];
  const counts = new Map(
    tuned.map(({ cell, seed, intruder_dimensions = 0 }) => [
      placeOf(nameOf(cell), cell.site, seed),
      intruder_dimensions,
    ]),
  );
  const countAt = (name: string, site: number, seed: number) =>
    counts.get(placeOf(name, sites[site], seeds[seed])) ?? 0;
  const names = [...new Set(tuned.map(({ cell }) => nameOf(cell)))].filter((name) => name !== tunedFully);
  const tests = names.map((name) =>
    bootstrap(
      (chosen, seed) => meanOver(chosen.map((site) => countAt(name, site, seed) - countAt(tunedFully, site, seed))),
      { rows: sites.length, seeds: seeds.length },
    ),
  );
  const corrected = holm(tests.map(({ p }) => p));
  return tests.map(({ mean, low, high }, at) => ({
    claim: `${names[at]?.replace("tuned, ", "")} brings in more intruder dimensions than full fine-tuning`,
    holds: sites.length < leastSites || seeds.length < 2 || (corrected[at] ?? 1) > 0.05 ? "undecided" : mean > 0,
    evidence: `${signed(mean)} of ten in the mean over ${sites.length} sites (95 %, bootstrap over sites and seeds: ${signed(low)} to ${signed(high)}), ${chanceText(corrected[at] ?? 1, tests.length)}`,
  }));
}

const tunedFully = "tuned, full";
const placeOf = (name: string, site: Json | undefined, seed: number | undefined): string => `${name} ${site} ${seed}`;

import { InternalError } from "../errors.ts";
import { findTensor } from "../peft/base.ts";
import { viewsOf } from "../peft/phi.ts";
import { bootstrap, holm, meanOver } from "../statistics/bootstrap.ts";
import { intruderDimensions } from "../tensor/intruder-dimensions.ts";
import { countFor, type DenseMatrix, productSingularValues, singularValues } from "../tensor/singular-values.ts";
import type { Bench, Fitted } from "./bench.ts";
import { signed } from "./findings.ts";
import { fitOf, seedsOf } from "./recipes.ts";
import type {
  Budget,
  Cell,
  Finding,
  Fit,
  Job,
  Json,
  Measured,
  PlannedCell,
  Setup,
  Study,
  StudyRecord,
} from "./study.ts";

const ranks: Readonly<Record<Budget, readonly number[]>> = {
  quick: [2, 16],
  standard: [4, 16, 64],
  paper: [16, 64, 256],
};

/**
 * Singular values of every linear layer's matrix, of what LoRA and full fine-tuning add to it, and of the sum, with the
 * sum's directions that the base's matrix does not have.
 */
export const spectrum: Study = {
  name: "spectrum",
  question: "How many singular vectors carry the base's matrices, and what LoRA and full fine-tuning add to them?",
  source:
    "Biderman et al. 2024, arXiv:2405.09673, section 5 and figure 6; Shuttleworth et al. 2024, arXiv:2410.21228, section 3",
  plan: (setup) => [
    ...setup.linearLayers.map((site) => ({
      ...{ cell: { site, matrix: "base", method: null }, seed: 0, fit: null, steps: 0 },
    })),
    ...variantsOf(setup).flatMap(({ named, fit }) =>
      seedsOf(setup).flatMap((seed) => cellsOf(setup, seed, named, fit)),
    ),
  ],
  work,
  figures: (records) => [
    {
      ...{ kind: "categories", name: "vectors-90", items: sharesOf(records) },
      title:
        "Singular vectors that carry 90 % of the squared singular values, mean over sites, with the range of the middle 90 % of sites",
      y: "share of all singular vectors",
    },
    {
      ...{ kind: "categories", name: "intruder-dimensions", items: intrudersOf(records) },
      title:
        "Intruder dimensions among the ten leading singular vectors, mean over sites, with the range of the middle 90 %",
      y: "intruder dimensions of ten",
    },
  ],
  findings: (records) => [...findingsOf(records), ...intruderFindings(records)],
};

interface Variant {
  readonly named: Readonly<Record<string, Json>>;
  readonly fit: Fit;
}

const variantsOf = (setup: Setup): readonly Variant[] => [
  ...ranks[setup.budget].map((rank) => ({
    named: { method: "lora", rank },
    fit: fitOf(setup, { method: "lora", options: { rank, alpha: 2 * rank, targets: "all-linear" } }),
  })),
  { named: { method: "full" }, fit: fitOf(setup, { method: "full" }) },
];

function cellsOf({ linearLayers }: Setup, seed: number, named: Variant["named"], fit: Fit): readonly PlannedCell[] {
  return linearLayers.flatMap((site, at) =>
    ["update", "tuned"].map((matrix, second) => ({
      ...{ cell: { site, matrix, ...named }, seed, fit },
      steps: at + second === 0 ? fit.steps : 0, // trained once for all of them
    })),
  );
}

async function* work(
  bench: Bench,
  { fit, seed, cells }: Job,
): AsyncGenerator<{ readonly cell: Cell; readonly measured: Measured }, void, void> {
  if (fit === null) {
    const untrained = await bench.untrained();
    for (const cell of cells)
      yield { cell, measured: { ...untrained, ...spectrumOf(singularValues(await baseMatrix(bench, cell))) } };
    return;
  }
  for await (const fitted of bench.train(fit, seed)) {
    const { scores: _, ...scored } = await bench.score(fitted);
    const described = { ...(await bench.described(fit, seed, fitted)), scores: {}, score: null, loss: null };
    for (const cell of cells) {
      const found = await foundAt(bench, fitted, fit, cell);
      yield { cell, measured: { ...described, score_name: scored.score_name, ...found } };
    }
  }
}

const spectrumOf = (values: readonly number[]): Pick<Measured, "vectors_90" | "singular_values"> => ({
  vectors_90: countFor(0.9, values),
  singular_values: values,
});

/** The base's own matrix at a site, as the checkpoint has it. */
async function baseMatrix({ base }: Bench, { site }: Cell): Promise<DenseMatrix> {
  const tensor = findTensor(base, `${site}.weight`);
  const [rows, columns] = tensor?.shape ?? [];
  if (!tensor || rows === undefined || columns === undefined) throw new InternalError(`${site} has no matrix`);
  return { rows, columns, values: await base.read(tensor.name) };
}

/** The spectrum of a cell's matrix and, of a tuned one, its intruders. */
async function foundAt(bench: Bench, { phi }: Fitted, fit: Fit, cell: Cell): Promise<Partial<Measured>> {
  const views = viewsOf(phi.layout, phi.values);
  const W = await baseMatrix(bench, cell);
  const isUpdate = cell.matrix === "update";
  const tuned = views[`${cell.site}.weight`];
  if (tuned) {
    const values = isUpdate ? Float64Array.from(tuned, (value, at) => value - W.values[at]!) : tuned;
    return isUpdate ? spectrumOf(singularValues({ ...W, values })) : tunedOf(W, { ...W, values });
  }
  const [A, B] = [views[`${cell.site}.lora_A.weight`], views[`${cell.site}.lora_B.weight`]];
  if (!A || !B) throw new InternalError(`${cell.site} was not trained`);
  const rank = Number(fit.options.rank);
  const factors = {
    A: { rows: rank, columns: A.length / rank, values: A },
    B: { rows: B.length / rank, columns: rank, values: B },
    scale: Number(fit.options.alpha) / rank,
  };
  if (isUpdate) return spectrumOf(productSingularValues(factors.B, factors.A, factors.scale));
  return tunedOf(W, withUpdate(W, factors));
}

const tunedOf = (W: DenseMatrix, tuned: DenseMatrix): Partial<Measured> => ({
  ...spectrumOf(singularValues(tuned)),
  intruder_dimensions: intruderDimensions(W, tuned),
});

interface Factors {
  readonly A: DenseMatrix;
  readonly B: DenseMatrix;
  readonly scale: number;
}

/** W + scale · B A, or its transposed where the checkpoint keeps W as [in, out]. */
function withUpdate(W: DenseMatrix, { A, B, scale }: Factors): DenseMatrix {
  const values = Float64Array.from(W.values);
  const transposed = W.rows !== B.rows || W.columns !== A.columns;
  for (let i = 0; i < B.rows; i++)
    for (let k = 0; k < A.rows; k++) {
      const factor = scale * B.values[i * A.rows + k]!;
      for (let j = 0; j < A.columns; j++) {
        const at = transposed ? j * W.columns + i : i * W.columns + j;
        values[at] = values[at]! + factor * A.values[k * A.columns + j]!;
      }
    }
  return { ...W, values };
}

const nameOf = ({ matrix, method, rank }: Cell): string =>
  matrix === "base" ? "base" : `${matrix}, ${method}${rank === undefined ? "" : ` of rank ${rank}`}`;

/** Of every tuned kind the mean number of intruders, over sites and seeds. */
function intrudersOf(records: readonly StudyRecord[]) {
  const tuned = records.filter(({ cell }) => cell.matrix === "tuned");
  return [...new Set(tuned.map(({ cell }) => nameOf(cell)))].map((name) => {
    const counts = tuned
      .filter(({ cell }) => nameOf(cell) === name)
      .map(({ intruder_dimensions = 0 }) => intruder_dimensions);
    return rangeOf(name, counts);
  });
}

/** Of every kind of matrix the share of singular vectors that carry 90 %, over sites and seeds. */
function sharesOf(records: readonly StudyRecord[]) {
  const lengths = new Map(
    records
      .filter(({ cell }) => cell.matrix === "base")
      .map(({ cell, singular_values }) => [cell.site, singular_values?.length ?? 1]),
  );
  const kinds = [...new Set(records.map(({ cell }) => nameOf(cell)))];
  return kinds.map((name) => {
    const shares = records
      .filter(({ cell }) => nameOf(cell) === name)
      .map(({ cell, vectors_90 = 0 }) => vectors_90 / (lengths.get(cell.site) ?? 1));
    return rangeOf(name, shares);
  });
}

/** The mean of some numbers, and the range of their middle 90 %. */
function rangeOf(name: string, numbers: readonly number[]) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { name, mean: meanOver(numbers), low: at(0.05), high: at(0.95) };
}

/** Whether each LoRA has more intruders than full fine-tuning, in pairs of the same site and seed. */
function intruderFindings(records: readonly StudyRecord[]): readonly Finding[] {
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
    evidence: `${signed(mean)} of ten in the mean over ${sites.length} sites (95 %, bootstrap over sites and seeds: ${signed(low)} to ${signed(high)})`,
  }));
}

const tunedFully = "tuned, full";
const placeOf = (name: string, site: Json | undefined, seed: number | undefined): string => `${name} ${site} ${seed}`;

/** A claim of how many vectors a kind of matrix needs beside the base's own at the same site. */
interface SiteClaim {
  readonly claim: string;
  readonly is: (cell: Cell) => boolean;
  readonly agrees: (ratio: number) => boolean;
}

/** Nearly all and hardly any of the sites, between which nothing is decided; fewer sites decide nothing. */
const [most, few, leastSites] = [0.9, 0.1, 5];

function findingsOf(records: readonly StudyRecord[]): readonly Finding[] {
  const base = new Map(
    records.filter(({ cell }) => cell.matrix === "base").map(({ cell, vectors_90 }) => [cell.site, vectors_90 ?? 0]),
  );
  const trained = [
    ...new Set(
      records.filter(({ cell }) => cell.method !== null).map(({ cell }) => nameOf({ ...cell, matrix: "update" })),
    ),
  ];
  const claims = trained.flatMap((name): readonly SiteClaim[] => {
    const called = name.replace("update, ", "");
    const is = (matrix: string) => (cell: Cell) =>
      cell.matrix === matrix && nameOf({ ...cell, matrix: "update" }) === name;
    return [
      {
        claim: `the update of ${called} needs at least half as many singular vectors as the base's matrix`,
        ...{ is: is("update"), agrees: (ratio: number) => ratio >= 0.5 },
      },
      {
        claim: `the tuned matrix of ${called} needs as many singular vectors as the base's, within a tenth`,
        ...{ is: is("tuned"), agrees: (ratio: number) => Math.abs(ratio - 1) <= 0.1 },
      },
    ];
  });
  return claims.map(({ claim, is, agrees }) => {
    const ratios = records
      .filter(({ cell }) => is(cell))
      .map(({ cell, vectors_90 = 0 }) => vectors_90 / (base.get(cell.site) ?? 1));
    const count = ratios.filter(agrees).length;
    const share = count / Math.max(1, ratios.length);
    const evidence = `so at ${count} of ${ratios.length} sites and seeds; ${meanOver(ratios).toFixed(2)} times as many in the mean`;
    const holds = ratios.length < leastSites ? "undecided" : share >= most ? true : share <= few ? false : "undecided";
    return { claim, holds, evidence };
  });
}

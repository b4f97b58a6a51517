import { InternalError } from "../errors.ts";
import { findTensor } from "../peft/base.ts";
import { viewsOf } from "../peft/phi.ts";
import { intruderDimensions, leadingDirections } from "../tensor/intruder-dimensions.ts";
import {
  countFor,
  type DenseMatrix,
  leadingSingular,
  productSingularValues,
  singularValues,
} from "../tensor/singular-values.ts";
import { baseDirections } from "./base-directions.ts";
import type { Bench, Fitted } from "./bench.ts";
import { fitOf, rankedLora, seedsOf } from "./recipes.ts";
import { carryingFigure, carryingFindings } from "./spectrum-carrying.ts";
import { intruderFigure, intruderFindings } from "./spectrum-intruders.ts";
import { valuesFigure } from "./spectrum-values.ts";
import type { Budget, Cell, Fit, Job, Json, Measured, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

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
  scoresNothing: true,
  plan: (setup) => [
    ...setup.linearLayers.map((site) => ({
      cell: { site, matrix: "base", method: null },
      seed: 0,
      fit: null,
      steps: 0,
    })),
    ...variantsOf(setup).flatMap(({ named, fit }) =>
      seedsOf(setup).flatMap((seed) => cellsOf(setup, seed, named, fit)),
    ),
  ],
  work,
  figures(records) {
    const reached = reachedOf(records);
    return [carryingFigure(reached), valuesFigure(reached), intruderFigure(reached)];
  },
  findings(records) {
    const reached = reachedOf(records);
    return [...carryingFindings(reached), ...intruderFindings(reached)];
  },
};

/** The records of the sites that training reaches: a pooler that nothing reads is as it was, and says nothing of updates. */
function reachedOf(records: readonly StudyRecord[]): readonly StudyRecord[] {
  const updates = records.filter(({ cell }) => cell.matrix === "update");
  const reached = new Set(updates.filter(({ vectors_90 = 0 }) => vectors_90 > 0).map(({ cell }) => cell.site));
  return updates.length === 0 ? records : records.filter(({ cell }) => reached.has(cell.site));
}

interface Variant {
  readonly named: Readonly<Record<string, Json>>;
  readonly fit: Fit;
}

const variantsOf = (setup: Setup): readonly Variant[] => [
  ...ranks[setup.budget].map((rank) => ({
    named: { method: "lora", rank },
    fit: fitOf(setup, rankedLora(rank, "all-linear")),
  })),
  { named: { method: "full" }, fit: fitOf(setup, { method: "full" }) },
];

function cellsOf({ linearLayers }: Setup, seed: number, named: Variant["named"], fit: Fit): readonly PlannedCell[] {
  return linearLayers.flatMap((site, at) =>
    ["update", "tuned"].map((matrix, second) => ({
      cell: { site, matrix, ...named },
      seed,
      fit,
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
  const { score_name } = await bench.untrained();
  for await (const fitted of bench.train(fit, seed)) {
    const described = {
      ...(await bench.described(fit, seed, fitted)),
      scores: {},
      score: null,
      score_name,
      loss: null,
    };
    for (const cell of cells) yield { cell, measured: { ...described, ...(await foundAt(bench, fitted, fit, cell)) } };
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
    return isUpdate ? spectrumOf(singularValues({ ...W, values })) : tunedOf(bench, cell, W, { ...W, values });
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
  return tunedOf(bench, cell, W, withUpdate(W, factors));
}

function tunedOf({ base }: Bench, { site }: Cell, W: DenseMatrix, tuned: DenseMatrix): Partial<Measured> {
  const { values, left } = leadingSingular(tuned, leadingDirections);
  return {
    ...spectrumOf(values),
    intruder_dimensions: intruderDimensions(left, baseDirections(base, String(site), W)),
  };
}

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

import { InputError } from "../errors.ts";
import { methods } from "../peft/methods.ts";
import type { Phi } from "../peft/phi.ts";
import type { Bench } from "./bench.ts";
import { decided, smallDifference } from "./findings.ts";
import { fitOf, seedsOf, usualOptions } from "./recipes.ts";
import { type JoinedRow, joinSeeds } from "./rows.ts";
import type { Budget, Cell, Job, Measured, PlannedCell, Setup, Study, StudyRecord } from "./study.ts";

const own: Readonly<Record<Budget, readonly string[]>> = {
  quick: ["bottleneck"],
  standard: ["bottleneck", "lora", "bitfit"],
  paper: ["bottleneck", "lora", "bitfit", "ia3", "parallel"],
};

/** Adapters in every layer, trained once; then every span of layers is switched off without training again. */
export const placement: Study = {
  name: "placement",
  question: "Which layers' adapters matter? Every span of layers is switched off without training again.",
  source: "Houlsby et al. 2019, arXiv:1902.00751, section 3.6 and figure 6",
  methods: own,
  plan: (setup) => {
    refuseElsewhere(setup.methods);
    return setup.methods.flatMap((method) => seedsOf(setup).flatMap((seed) => cellsOf(method, seed, setup)));
  },
  work,
  figures: (records) => methodsOf(records).map((method) => heatmapOf(method, records)),
  findings: (records) =>
    decided(methodsOf(records).flatMap((method) => claimsOf(method, layersOf(records), joinSeeds(records)))),
};

/** How many layers the spans go over. */
const layersOf = (records: readonly StudyRecord[]): number =>
  1 + Math.max(...records.map(({ cell }) => Number(cell.last ?? 0)));

/** Methods whose tensors stand in layers and start as the base, so that a layer's start is the base in that layer. */
function refuseElsewhere(names: readonly string[]): void {
  const able = methods.filter(({ options, start }) => "layers" in options && start === "base").map(({ name }) => name);
  const problems = names.filter((name) => !able.includes(name));
  if (problems.length > 0)
    throw new InputError(
      problems.map(
        (name) =>
          `${name} has no adapters that can be switched off layer by layer; those that have: ${able.join(", ")}`,
      ),
    );
}

function cellsOf(method: string, seed: number, setup: Setup): readonly PlannedCell[] {
  const { layers } = setup.model.sizes;
  const spans = Array.from({ length: layers }, (_, first) =>
    Array.from({ length: layers - first }, (_last, length) => ({ first, last: first + length })),
  ).flat();
  const all = Array.from({ length: layers }, (_, layer) => layer).join(",");
  const fit = fitOf(setup, { method, options: { ...usualOptions(method), layers: all } });
  return [{ first: null, last: null }, ...spans].map((span) => ({
    cell: { method, ...span },
    seed,
    fit,
    steps: span.first === null ? fit.steps : 0,
  }));
}

async function* work(
  bench: Bench,
  { fit, seed, cells }: Job,
): AsyncGenerator<{ readonly cell: Cell; readonly measured: Measured }, void, void> {
  if (!fit) return;
  const start = await bench.start(fit, seed);
  for await (const fitted of bench.train(fit, seed)) {
    const described = await bench.described(fit, seed, fitted);
    for (const cell of cells) {
      const phi = switchedOff(fitted.phi, start.phi, cell);
      yield { cell, measured: { ...described, ...(await bench.score({ adapted: fitted.adapted, phi })) } };
    }
  }
}

/** Φ with the tensors of a span of layers as they were before training, when the model was the base there. */
function switchedOff(phi: Phi, start: Phi, { first, last }: Cell): Phi {
  const values = phi.values.slice();
  for (const { part, layer, offset, size } of phi.layout) {
    if (part === "head" || layer === undefined || first === null || last === null) continue;
    if (layer >= Number(first) && layer <= Number(last))
      values.set(start.values.subarray(offset, offset + size), offset);
  }
  return { ...phi, values };
}

const methodsOf = (records: readonly StudyRecord[]) => [...new Set(records.map(({ cell }) => String(cell.method)))];

/** Rows of a method by their spans. */
function bySpan(method: string, rows: readonly JoinedRow[]) {
  const spans = rows.filter(({ cell }) => cell.method === method);
  return (first: number | null, last: number | null) =>
    spans.find(({ cell }) => cell.first === first && cell.last === last);
}

/** How much the score changes when a span is switched off, as in Houlsby's figure 6: its first layer down, its last one across. */
function heatmapOf(method: string, records: readonly StudyRecord[]) {
  const rows = joinSeeds(records).filter(({ cell }) => cell.method === method);
  const whole = bySpan(method, rows)(null, null)?.mean ?? 0;
  const cells = rows
    .filter(({ cell }) => cell.first !== null)
    .map(({ cell, mean }) => ({ x: String(cell.last), y: String(cell.first), value: mean - whole }));
  return {
    kind: "heatmap" as const,
    name: `spans-${method}`,
    cells,
    title: `${method}: change of the score when the adapters from a first to a last layer are switched off`,
    x: "last layer switched off",
    y: "first layer switched off",
    value: "change of the score",
  };
}

function claimsOf(method: string, layers: number, rows: readonly JoinedRow[]) {
  const at = bySpan(method, rows);
  const whole = at(null, null);
  const half = Math.floor(layers / 2);
  const single = Array.from({ length: layers }, (_, layer) => ({
    claim: `${method}: switching off layer ${layer} alone costs at most ${smallDifference}`,
    better: at(layer, layer),
    than: whole,
    margin: smallDifference,
  }));
  const halves = {
    claim: `${method}: switching off layers 0 to ${half - 1} costs less than layers ${layers - half} to ${layers - 1}`,
    better: at(0, half - 1),
    than: at(layers - half, layers - 1),
  };
  const all = {
    claim: `${method}: the adapters as a whole are better than none, under the same head`,
    better: whole,
    than: at(0, layers - 1),
  };
  return [all, ...(half > 0 ? [halves] : []), ...single];
}

// The singular values that `petl study spectrum` records beside NumPy's: every matrix of a checkpoint's layers, a dense
// update of each, and a low-rank one. Counts of vectors that carry 90 % must be equal, values within 1e-5 of the largest.
//   node bench/spectrum.mjs --python PYTHON [--base FOLDER] [--layers N]   (the first N layers)
// Appends a record to results/spectrum.jsonl, and fails where a count or a value differs by more.
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random, safetensorsBytes } from "@petl/core";
import { openBase } from "petl";
import { countFor, productSingularValues, singularValues } from "../packages/core/dist/tensor/singular-values.js";
import { runToEnd, surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    base: { type: "string", default: "../shared/data/checkpoints/all-minilm-l6-v2" },
    layers: { type: "string", default: "Infinity" },
    out: { type: "string", default: "results/spectrum.jsonl" },
  },
});
const [rank, scale] = [8, 2];
const numbers = random(1, "updates whose spectra are compared");
const layerOf = (name) => Number(/layers?\.(\d+)\..*weight$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
const drawn = (length, size) => Float32Array.from({ length }, () => size * numbers.normal());

const scratch = await mkdtemp(join(tmpdir(), "petl-spectrum-"));
const base = await openBase(values.base, { threads: 1 });
try {
  const matrices = [...base.tensors.values()].filter(
    ({ name, shape }) => shape.length === 2 && layerOf(name) < Number(values.layers),
  );
  const [found, updates] = [{}, []];
  let cpu = 0;
  const timed = (work) => {
    const begin = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(begin);
    cpu += (user + system) / 1e6;
    return result;
  };
  for (const { name, shape } of matrices) {
    const [rows, columns] = shape;
    const [dense, A, B] = [drawn(rows * columns, 1e-3), drawn(rank * columns, 0.1), drawn(rows * rank, 0.1)];
    updates.push(
      [`${name} dense`, { dtype: "float32", shape, data: dense }],
      [`${name} A`, { dtype: "float32", shape: [rank, columns], data: A }],
      [`${name} B`, { dtype: "float32", shape: [rows, rank], data: B }],
    );
    const W = await base.read(name);
    found[name] = timed(() => singularValues({ rows, columns, values: W }));
    found[`${name} dense`] = timed(() => singularValues({ rows, columns, values: dense }));
    const [left, right] = [
      { rows, columns: rank, values: B },
      { rows: rank, columns, values: A },
    ];
    found[`${name} low rank`] = timed(() => productSingularValues(left, right, scale));
  }
  const file = join(scratch, "updates.safetensors");
  await writeFile(file, safetensorsBytes(updates));
  const halves = ["--base", join(values.base, "model.safetensors"), "--updates", file, "--scale", String(scale)];
  const theirs = await runToEnd(values.python, ["bench/python/spectrum.py", ...halves]);
  let [worst, counts] = [0, 0];
  for (const [name, mine] of Object.entries(found)) {
    const expected = theirs.values[name];
    if (expected?.length < mine.length)
      throw new Error(`${name} has ${mine.length} values, NumPy gives ${expected.length}`);
    for (const [at, value] of mine.entries()) worst = Math.max(worst, Math.abs(value - expected[at]) / expected[0]);
    if (countFor(0.9, mine) !== theirs.counts[name]) counts++;
  }
  const record = {
    benchmark: "spectrum",
    date: new Date().toISOString().slice(0, 10),
    base: values.base.split("/").at(-1),
    spectra: Object.keys(found).length,
    worst_difference: worst,
    counts_that_differ: counts,
    petl_cpu_seconds: cpu,
    numpy: theirs.numpy,
    numpy_cpu_seconds: theirs.seconds,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  process.stdout.write(`${record.spectra} spectra: at most ${worst.toExponential(1)} apart, ${counts} counts differ\n`);
  if (worst > 1e-5 || counts > 0) process.exitCode = 1;
} finally {
  await base.close();
  await rm(scratch, { recursive: true, force: true });
}

import { type MethodPlan, methods, type PlacedPlan, type Places, type Plan } from "@petl/core";
import { flagName } from "../flags/flags.ts";
import { shadeOf } from "./plan-figure.ts";
import { percentText, sizeText } from "./plan-words.ts";

/** A plan for people: a line for each method with a small picture of its place in the stack, then what there is to say. */
export function* planLines({ plan, base, placed }: PlacedPlan): Generator<string> {
  const { architecture, base_parameters, layers, hidden } = plan.base;
  yield `${architecture}: ${base_parameters.toLocaleString("en-US")} parameters, ${layers} layers, hidden ${hidden}`;
  if (plan.target) yield `target: at most ${targetText(plan.target)}`;
  const header = [
    "method",
    "size",
    "trained",
    "share",
    "with head",
    "file",
    "memory",
    "merges",
    "where (outside | layers | head)",
  ];
  const rows = plan.plans.map((each, i) => cellsOf(each, placed[i], base));
  const table = [header, ...rows];
  const widths = header.map((_, at) => Math.max(...table.map((cells) => cells[at]?.length ?? 0)));
  for (const cells of table)
    yield cells
      .map((cell, at) => padded(cell, widths[at] ?? 0, at))
      .join("  ")
      .trimEnd();
  const notes = plan.plans.flatMap(({ method, notes: own }) =>
    own.map((note) => (note.startsWith(method) ? note : `${method}: ${note}`)),
  );
  if (notes.length > 0) yield "";
  yield* notes;
}

/** Words stand on the left, numbers on the right. */
const padded = (cell: string, width: number, column: number): string =>
  column >= 2 && column <= 6 ? cell.padStart(width) : cell.padEnd(width);

const targetWords = { ratio: "of the base", parameters: "parameters", "file-size": "on the disk", memory: "of memory" };

function targetText({ kind, value }: NonNullable<Plan["target"]>): string {
  const amount =
    kind === "ratio" ? percentText(value) : kind === "parameters" ? value.toLocaleString("en-US") : sizeText(value);
  return `${amount} ${targetWords[kind]}`;
}

function cellsOf(plan: MethodPlan, places: Places | undefined, base: Places): readonly string[] {
  const { method, options, trained_parameters, trainable_ratio, trainable_ratio_with_head } = plan;
  if (options === null || !places) return [method, "not possible, see below"];
  return [
    ...[method, sizeOf(method, options), trained_parameters.toLocaleString("en-US")],
    ...[percentText(trainable_ratio), percentText(trainable_ratio_with_head)],
    ...[sizeText(plan.adapter_bytes), sizeText(plan.training_memory_bytes.total), plan.merges ? "yes" : "no"],
    stackText(places, base),
  ];
}

function sizeOf(method: string, options: Readonly<Record<string, unknown>>): string {
  const option = methods.find(({ name }) => name === method)?.size?.option;
  return option === undefined ? "" : `--${flagName(option)} ${String(options[option])}`;
}

const levels = [..."·▁▂▃▄▅▆▇█"];
const mostLayers = 24;

/** The stack from the embeddings up, higher the larger the trained share of a part; deep stacks in groups of layers. */
function stackText({ outside, layers, head }: Places, base: Places): string {
  const level = (count: number, all: number) => levels[Math.ceil(shadeOf(count, all) * (levels.length - 1))] ?? "·";
  const group = Math.ceil(layers.length / mostLayers);
  const grouped = Array.from({ length: Math.ceil(layers.length / group) }, (_, at) => {
    const sum = (counts: readonly number[]) =>
      counts.slice(at * group, (at + 1) * group).reduce((total, count) => total + count, 0);
    return level(sum(layers), sum(base.layers));
  });
  return `${level(outside, base.outside)} ${grouped.join("")} ${level(head, base.head)}`;
}

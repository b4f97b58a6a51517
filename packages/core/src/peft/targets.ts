import type { LinearSite } from "../nn/sites/linear.ts";
import { compilePattern } from "../patterns/pattern.ts";
import type { Place } from "./method.ts";
import type { Layers, Targets } from "./options.ts";

/** A name matches a path that is equal to it or ends in it behind a dot. */
export const endsIn = (path: string, name: string): boolean => path === name || path.endsWith(`.${name}`);

/** Whether targets name a module; a pattern must match the whole path. */
export function isTarget(path: string, targets: NonNullable<Targets>): boolean {
  switch (targets.kind) {
    case "names":
      return targets.names.some((name) => endsIn(path, name));
    case "pattern":
      return compilePattern(targets.pattern, "python").matches(path);
    case "all-linear":
      return true;
  }
}

/** Whether a layer of a stack is among the chosen ones; all are where none were chosen. */
export function isChosen(layer: number | undefined, chosen: Layers, layers: number): boolean {
  if (chosen === undefined) return true;
  if (layer === undefined) return false;
  if ("end" in chosen) return chosen.end === "top" ? layer >= layers - chosen.count : layer < chosen.count;
  return chosen.includes(layer);
}

/** Which linear layers an update changes: those that were named, or those of the architecture's convention. */
interface Chosen {
  readonly targets: Targets;
  readonly exclude?: Targets;
  readonly layers: Layers;
}

/** Whether options name a linear layer, by the convention of the architecture where they name none. */
export function isUpdated(place: Place & Pick<LinearSite, "output">, options: Chosen): boolean {
  const { path, layer, layers, conventions, output } = place;
  const chosen = options.targets ?? { kind: "names", names: conventions.updated, required: true };
  if (options.exclude && isTarget(path, options.exclude)) return false;
  if (chosen.kind === "all-linear" && output) return false;
  return isTarget(path, chosen) && isChosen(layer, options.layers, layers);
}

/** Whether a path, or what of it is behind one of its dots, is what the pattern means. */
export function endMatches(path: string, pattern: string): boolean {
  const { matches } = compilePattern(pattern, "python");
  return matches(path) || [...path].some((character, at) => character === "." && matches(path.slice(at + 1)));
}

/** The number that the first matching pattern gives a path; a pattern matches a path's end, as in PEFT. */
export function byPattern(path: string, patterns: Readonly<Record<string, number>>, otherwise: number): number {
  const found = Object.entries(patterns).find(([pattern]) => endMatches(path, pattern));
  return found ? found[1] : otherwise;
}

/** Whether a path is one of some modules, or lies in one. */
export const isWithin = (modules: readonly string[], path: string): boolean =>
  modules.some((module) => path === module || path.startsWith(`${module}.`));

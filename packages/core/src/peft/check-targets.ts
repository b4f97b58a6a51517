import { suggestion } from "../errors.ts";
import { isRecord } from "../values.ts";
import { type Building, inHead } from "./building.ts";
import type { MethodUse } from "./method.ts";
import { siteKindNames } from "./site-kinds.ts";

/** What the methods' options select that is not there. */
interface Unmatched {
  readonly problems: readonly string[];
  /** of methods that were found in an adapter: patterns that match nothing, which is no mistake in PEFT */
  readonly remarks: readonly string[];
}

/** What the methods' options select that the model does not have, or that the method does not act on: modules, layers. */
export function checkTargets(building: Building): Unmatched {
  const all = building.methods.map((use) => unmatched(building, use));
  return { problems: all.flatMap(({ problems }) => problems), remarks: all.flatMap(({ remarks }) => remarks) };
}

type Selected = MethodUse["selections"][number];

function unmatched(building: Building, use: MethodUse): Unmatched {
  const paths = modulePaths(building);
  const isUnknown = ({ kind, matches }: Selected) => kind === "name" && !paths.some(matches);
  const isIdle = ({ among, matches }: Selected) => !pathsAmong(building, use, among).some(matches);
  const mayIdle = ({ kind }: Selected) => use.found === true && kind === "pattern";
  const unknown = use.selections.filter(isUnknown).map(({ text }) => unknownName(building, use, text));
  const beyond = Object.values(use.options).flatMap((value) => unknownLayers(building, use, value));
  const wrong = [...unknown, ...beyond];
  if (!building.acting.has(use))
    return { problems: wrong.length > 0 ? wrong : actsNowhere(building, use), remarks: [] };
  const idle = use.selections.filter((selection) => !isUnknown(selection) && isIdle(selection));
  const say = (selection: Selected) => idleSelection(building, use, selection);
  return {
    problems: [...wrong, ...idle.filter((selection) => !mayIdle(selection)).map(say)],
    remarks: idle.filter(mayIdle).map(say),
  };
}

/** A name that no module has. */
function unknownName(building: Building, use: MethodUse, name: string): string {
  const { modelType } = building.base.model;
  const linear = use.at("linear") !== undefined;
  const known = linear ? targetNames(building) : [...new Set(modulePaths(building).map(lastName))].sort();
  const question = suggestion(name, known) || ";";
  const noun = linear ? "linear layer" : "module";
  return `no ${noun} of ${modelType} is named "${name}"${question} its ${noun}s: ${known.join(", ")}`;
}

/** A name or a pattern of modules on which the method does not act. */
function idleSelection(building: Building, use: MethodUse, { option, text, kind, among }: Selected): string {
  const known = [...new Set(pathsAmong(building, use, among).map(lastName))].sort();
  const question = kind === "pattern" ? suggestion(text, known) || ";" : ";";
  return `${use.name}: ${option} "${text}" matches ${nothing[among]}${question} those are ${known.join(", ")}`;
}

const nothing = {
  adapted: "none of the modules that it acts on",
  adaptable: "none of the modules that it can act on",
  all: "no module",
};

function pathsAmong(building: Building, use: MethodUse, among: Selected["among"]): readonly string[] {
  const adapted = [...(building.acting.get(use) ?? [])];
  if (among === "adapted") return adapted;
  if (among === "all") return modulePaths(building);
  const free = building.sites.filter(({ path }) => !(building.headTrained && inHead(building, path)));
  return [...adapted, ...free.filter(({ kind }) => use.at(kind) !== undefined).map(({ path }) => path)];
}

const lastName = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

function unknownLayers(building: Building, use: MethodUse, option: unknown): readonly string[] {
  const { layers } = building.base.model.sizes;
  const has = `the base has ${layers} layers, 0 to ${layers - 1}`;
  if (Array.isArray(option)) {
    const beyond = option.filter((index) => typeof index === "number" && index >= layers);
    return beyond.map((index) => `${use.name}: there is no layer ${index}; ${has}`);
  }
  const count = isRecord(option) && "end" in option ? option.count : use.options.count === option ? option : 0;
  return typeof count === "number" && count > layers ? [`${use.name}: cannot take ${count} layers; ${has}`] : [];
}

/** What a method that finds no layer to act on and no tensor to train asks for. */
function actsNowhere(building: Building, use: MethodUse): readonly string[] {
  const { modelType } = building.base.model;
  const chooses = "targets" in use.options && (use.options.targets !== undefined || !use.trains);
  if (!chooses && use.trains) return [`${use.name} finds nothing to train in this ${modelType}`];
  const acts = siteKindNames.some((kind) => use.at(kind) !== undefined);
  if (!chooses) return acts ? [`${use.name} finds nothing to act on in this ${modelType}`] : [];
  return [
    `${use.name} finds no layer to act on in this ${modelType}; its linear layers: ${targetNames(building).join(", ")}`,
  ];
}

/** The modules that hold tensors, and those that share one, as an output layer does that is the table. */
function modulePaths({ parameters, frozen, sites }: Building): readonly string[] {
  const holding = [...parameters.keys(), ...frozen.keys()].map((name) => name.slice(0, name.lastIndexOf(".")));
  return [...holding, ...sites.map(({ path }) => path)];
}

/** The linear layers that methods may act on: all but those of a trained head. */
const targetNames = (building: Building): readonly string[] =>
  shortNames(
    building.sites.filter(({ kind, path }) => kind === "linear" && !(building.headTrained && inHead(building, path))),
  );

/** The names that tell a model's linear layers apart: `ffn.lin1` and `query`, not `encoder.layer.0.attention.self.query`. */
function shortNames(linearLayers: Building["sites"]): readonly string[] {
  const short = linearLayers.map(({ path, layer }) => {
    const inLayer = layer === undefined ? path : path.slice(path.indexOf(`.${layer}.`) + `.${layer}.`.length);
    return inLayer.replace(/^attention\.(self\.)?(?!output)/, "");
  });
  return [...new Set(short)].sort();
}

import { suggestion } from "../errors.ts";
import { type Building, inHead } from "./building.ts";
import type { MethodUse } from "./method.ts";
import { endsIn } from "./targets.ts";

/** What the methods' options name that the model does not have: modules, layers. */
export function checkTargets(building: Building): readonly string[] {
  return building.methods.flatMap((use) => {
    const values = Object.values(use.options);
    const unknown = [
      ...values.flatMap((value) => unknownNames(building, value)),
      ...values.flatMap((value) => unknownLayers(building, use, value)),
    ];
    return unknown.length > 0 ? unknown : actsNowhere(building, use);
  });
}

function unknownNames(building: Building, option: unknown): readonly string[] {
  if (!isRecord(option) || option.kind !== "names" || option.required !== true || !Array.isArray(option.names))
    return [];
  const paths = modulePaths(building);
  const { modelType } = building.base.model;
  return option.names
    .filter((name) => typeof name === "string" && !paths.some((path) => endsIn(path, name)))
    .map((name: string) => {
      const known = targetNames(building);
      const question = suggestion(name, known) || ";";
      return `no linear layer of ${modelType} is named "${name}"${question} its linear layers: ${known.join(", ")}`;
    });
}

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

/** A method that finds no layer to act on and no tensor to train. */
function actsNowhere(building: Building, use: MethodUse): readonly string[] {
  if (building.acting.has(use)) return [];
  const { modelType } = building.base.model;
  const chooses = "targets" in use.options && (use.options.targets !== undefined || !use.trains);
  if (!chooses && use.trains) return [`${use.name} finds nothing to train in this ${modelType}`];
  if (!chooses) return use.at("attention") ? [`${use.name} finds nothing to act on in this ${modelType}`] : [];
  return [
    `${use.name} finds no layer to act on in this ${modelType}; its linear layers: ${targetNames(building).join(", ")}`,
  ];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The modules that hold tensors. */
function modulePaths({ parameters, frozen }: Building): readonly string[] {
  return [...parameters.keys(), ...frozen.keys()].map((name) => name.slice(0, name.lastIndexOf(".")));
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

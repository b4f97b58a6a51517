import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { InputError } from "../errors.ts";
import { architectures, modelOf } from "../models/models.ts";
import { headNames, heads, type Model } from "../nn/model.ts";
import { objectiveOf, objectives, type Task } from "../objectives/objectives.ts";
import { adapt } from "../peft/adapt.ts";
import type { AnnouncedSite } from "../peft/building.ts";
import { isWithin } from "../peft/targets.ts";
import type { AdapterFiles } from "./adapter-files.ts";

/**
 * A base as large as an adapter's own tensors say, for conversions that need no weight and of which nobody gave the base:
 * its layers are those that the adapter reaches, sizes that no tensor tells are the architecture's usual ones, and heads
 * of attention, which no tensor tells, are as few as possible. Which names and shapes tell what is said by architectures
 * and methods: the adapter is put on a model of which every size is another number, and its shapes are held against that.
 *
 * @throws InputError where the tensors' names lead to no architecture
 */
export async function inferredBase(adapter: AdapterFiles): Promise<HfModel> {
  const { folder, baseName } = adapter;
  const said = adapter.writer === "foreign" ? adapter.modelType : undefined;
  const types = said === undefined ? namesakes : [said];
  const reached = types.map((type) => ({ modelType: type, layers: layersReached(adapter, type) }));
  const likest = reached.reduce((best, next) => (next.layers.length > best.layers.length ? next : best));
  if (said === undefined && likest.layers.length === 0) {
    throw new InputError(
      `${folder.name}: its tensors' names lead to no architecture that petl knows; give the base with \`base\``,
    );
  }
  const { modelType } = likest;
  const layers = likest.layers.reduce((most, layer) => Math.max(most, layer + 1), 1);
  const config = { model_type: modelType, ...fieldsOf(layers, sizesOf(adapter, modelType, layers)) };
  const { classes, headModules } = modelOf(config);
  const task = taskOf(adapter, { classes, headModules });
  const named = { ...config, architectures: [classes[objectiveOf(task).head] ?? classes.base] };
  const name = baseName ?? modelType;
  return {
    ...(await readBase(memoryFolder(name, { "config.json": JSON.stringify(named) }), { weights: false })),
    name,
  };
}

/** Every architecture; those from which others have their names stand in front, and stand for them. */
const namesakes = [
  ...architectures.filter(({ modelType, namedLike }) => namedLike === modelType),
  ...architectures.filter(({ modelType, namedLike }) => namedLike !== modelType),
].map(({ modelType }) => modelType);

/** An encoder without a word on its task classifies; a decoder is a language model unless it brings a classifier. */
function taskOf(adapter: AdapterFiles, { classes, headModules }: Pick<Model, "classes" | "headModules">): Task {
  if (adapter.writer === "petl") return adapter.petl.task;
  if (adapter.writer === "foreign" && adapter.task) return adapter.task;
  const said = adapter.writer === "peft" && objectives.find(({ peftTask }) => peftTask === adapter.peft.taskType);
  if (said) return said.name;
  const decodes = headNames.some((head) => heads[head].goesOn && classes[head] !== undefined);
  const modules = headModules.classification ?? [];
  const classifies = [...adapter.tensors.keys()].some((name) => isWithin(modules, name));
  return decodes && !classifies ? "causal-lm" : "classification";
}

type Size = "hidden" | "inner" | "queries" | "keys";

/** Sizes of a model for nobody's use: each another number, and none that a method's own lengths have. */
const probe: Readonly<Record<Size, number>> = { hidden: 15_838, inner: 7_907, queries: 15_812, keys: 7_906 };

/** A model of these sizes alone, for shapes. */
function probeOf(modelType: string, layers: number) {
  const model = modelOf({ model_type: modelType, ...fieldsOf(layers, new Map(Object.entries(probe))) });
  const read = () =>
    Promise.reject(new InputError(`${modelType}: a base of which only sizes are known has no weights`));
  return { name: modelType, model, tensors: undefined, read };
}

/** The numbers of the layers of an architecture that an adapter's names lead to, one for each such name. */
function layersReached({ tensors }: AdapterFiles, modelType: string): readonly number[] {
  const { sites } = adapt(probeOf(modelType, 1), [], { task: "classification", labels: 1, trainsHead: false });
  return [...tensors.keys()].flatMap((name) => {
    const found = sites.map((site) => layerIn(name, site)).find((layer) => layer !== undefined);
    return found ?? [];
  });
}

/** The layer whose site of this kind a tensor is of, where `site` is that of layer 0. */
function layerIn(name: string, { path, layer }: AnnouncedSite): number | undefined {
  const at = layer === undefined ? -1 : path.indexOf(`.${layer}.`);
  if (at < 0) return undefined;
  const [front, behind] = [path.slice(0, at + 1), path.slice(at + 2)];
  if (!name.startsWith(front)) return undefined;
  const rest = name.slice(front.length);
  const number = rest.slice(0, rest.indexOf("."));
  const fits = Number.isSafeInteger(Number(number)) && rest.slice(number.length).startsWith(`${behind}.`);
  return fits && number !== "" ? Number(number) : undefined;
}

/** The sizes that an adapter's tensors tell: where the probe's has a size, the adapter's has that of its base. */
function sizesOf(adapter: AdapterFiles, modelType: string, layers: number): ReadonlyMap<Size, number> {
  const found = new Map<Size, number>();
  const goal = { task: "classification", labels: 1, trainsHead: false } as const;
  for (const { name, shape } of adapt(probeOf(modelType, layers), adapter.methods, goal).layout) {
    const own = adapter.tensors.get(name)?.shape ?? [];
    for (const [axis, length] of shape.entries()) {
      const size = sizeNames.find((each) => probe[each] === length);
      const told = own[axis];
      if (size !== undefined && told !== undefined) found.set(size, told);
    }
  }
  return found;
}

const sizeNames: readonly Size[] = ["hidden", "inner", "queries", "keys"];

/** Fields of config.json, under the names that every family of architectures has for them. */
function fieldsOf(layers: number, sizes: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const [hidden, inner] = [sizes.get("hidden"), sizes.get("inner")];
  const keys = sizes.get("keys") ?? sizes.get("queries");
  const queries = sizes.get("queries") ?? keys;
  const groups = keys !== undefined && queries !== undefined ? queries / keys : 1;
  const fields = {
    num_hidden_layers: layers,
    n_layers: layers,
    n_layer: layers,
    hidden_size: hidden,
    dim: hidden,
    n_embd: hidden,
    intermediate_size: inner,
    hidden_dim: inner,
    n_inner: inner,
    head_dim: keys,
    num_attention_heads: groups,
    n_heads: groups,
    n_head: groups,
    num_key_value_heads: 1,
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

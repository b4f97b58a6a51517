import { InternalError } from "../errors.ts";
import { type Body, isBody, partsOf } from "../graph/body.ts";
import type { AttributeKind } from "../graph/operator.ts";
import type { Attributes, Node, Value } from "../graph/value.ts";
import { leavesOf, nodesOf } from "../graph/walk.ts";
import { type DType, onnxTypes } from "../tensor/dtype.ts";
import type { HostTensor } from "../tensor/host-tensor.ts";
import type { OwnBytes } from "../tensor/own-memory.ts";
import type { Shape } from "../tensor/shape.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";
import { fileOrder } from "./file-order.ts";
import { lengthNodes, type NamedNode } from "./lengths.ts";
import { bytes, type Field, float, int, join, message, string } from "./protobuf.ts";

/** What a ModelProto and its session need to know of each other. */
export interface EncodedGraph {
  /** the ModelProto */
  readonly model: OwnBytes;
  readonly inputs: readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[];
  readonly outputs: readonly { readonly name: string; readonly dtype: DType; readonly shape: Shape }[];
  /** the frozen tensors that the model reads from the checkpoint's own files */
  readonly weights: readonly StoredTensor[];
  /** the operators that it is made of, each once */
  readonly operators: readonly string[];
  readonly how: CompileOptions;
}

/** What a session is to do with its graph. */
export interface CompileOptions {
  /** computes each of the nodes that are alike, for the memory that is free in between */
  readonly repeats?: boolean | undefined;
  /**
   * where there is memory for that, keeps a copy of the weights as its products read them, float32 and packed, instead of
   * converting and packing them at every run
   */
  readonly keepsWeights?: boolean | undefined;
  /** packs float32 weights once for the products of all runs, a copy beside the file's */
  readonly packs?: boolean | undefined;
}

const irVersion = 10;
const opset = 21;

/** What a model says that other programs read too. */
export interface ForOthers {
  /** what inputs are where they are not fed */
  readonly defaults: Readonly<Record<string, HostTensor>>;
}

/**
 * Writes the graph that the named outputs reach as an ONNX ModelProto; frozen tensors stay in their files, which the
 * engine knows under the names that `fileName` gives.
 *
 * Shapes of inputs that have symbolic lengths are said to others only. ONNX Runtime compares each shape that it knows in
 * part with those of all tensors that are free by then, to put one in the other's place. It loses the symbols after a few
 * nodes and two lengths without a name are never equal, so that the square of the nodes is compared for nothing: three
 * quarters of the time in which a session of BERT-base's training step is made.
 */
export function encodeGraph(
  outputs: Readonly<Record<string, Value>>,
  fileName = (file: string) => file,
  how: CompileOptions = {},
  others?: ForOthers,
): EncodedGraph {
  const results = Object.entries(outputs);
  const values = results.map(([, value]) => value);
  const leaves = leavesOf(values);
  const inputs = leaves.flatMap((leaf) =>
    leaf.source.kind === "input" ? [{ name: leaf.source.name, dtype: leaf.dtype, shape: leaf.shape }] : [],
  );
  const names = new Names(results, inputs);
  const weights = leaves.flatMap(({ source }) => (source.kind === "weight" ? [source.tensor] : []));
  const fields: Field[] = [];
  const written = new Set<string>();
  for (const leaf of leaves) {
    if (!written.has(names.of(leaf))) fields.push(...leafFields(leaf, names, inputs, fileName, others?.defaults ?? {}));
    written.add(names.of(leaf));
  }
  const passedOn = (from: readonly Value[]) => passingNodes(results, from, names).map((node) => nodeField(node));
  fields.push(...passedOn(leaves));
  const nodes = fileOrder(nodesOf(values));
  for (const node of nodes) fields.push(nodeField(named(node, names), names), ...passedOn(node.outputs));
  const described = results.map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const graph = message(
    7,
    ...fields,
    string(2, "petl"),
    ...inputs.map((info) => valueInfo(11, others || isFixed(info.shape) ? info : { ...info, shape: undefined })),
    ...described.map((info) => valueInfo(12, info)),
  );
  const model = join(
    int(1, irVersion),
    string(2, "petl"),
    graph,
    message(8, string(1, ""), int(2, opset)),
    message(8, string(1, "com.microsoft"), int(2, 1)),
  );
  const operators = [...new Set(nodes.map(({ operator }) => operator.type))];
  const repeats = how.repeats || convertsAgain(nodes);
  return { model, inputs, outputs: described, weights, operators, how: { ...how, repeats } };
}

const isFixed = (shape: Shape): boolean => shape.every((dim) => typeof dim === "number");

/** Whether some weight is converted for its gradients once more, so that nobody holds it converted in between. */
function convertsAgain(nodes: readonly Node[]): boolean {
  const converted = nodes
    .filter(({ operator }) => operator.type === "Cast")
    .flatMap(({ inputs }) => inputs.filter(({ source }) => source.kind === "weight"));
  return new Set(converted).size < converted.length;
}

/** One name per value: an input's own, an output's given one, a number that is none of these for the rest; equal lengths share one. */
class Names {
  readonly #names = new Map<Value, string>();
  readonly #lengths = new Map<string, string>();
  readonly #given: ReadonlySet<string>;
  #next = 0;

  constructor(outputs: readonly (readonly [string, Value])[], inputs: EncodedGraph["inputs"]) {
    this.#given = new Set([...outputs, ...inputs.map(({ name }) => [name] as const)].map(([name]) => name));
    for (const [name, value] of outputs) {
      if (value.source.kind !== "node") continue;
      if (inputs.some((given) => given.name === name))
        throw new InternalError(`"${name}" names an input and an output`);
      if (!this.#names.has(value)) this.#names.set(value, name);
    }
  }

  of(value: Value): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = this.#make(value.source);
    this.#names.set(value, name);
    return name;
  }

  #make(source: Value["source"]): string {
    if (source.kind === "input") return source.name;
    if (source.kind !== "dims") return this.#numbered(source.kind);
    const lengths = source.dims.join(",");
    const name = this.#lengths.get(lengths) ?? this.#numbered("dims");
    this.#lengths.set(lengths, name);
    return name;
  }

  #numbered(kind: string): string {
    let name = `${kind}.${this.#next++}`;
    while (this.#given.has(name)) name = `${kind}.${this.#next++}`;
    return name;
  }
}

function leafFields(
  leaf: Value,
  names: Names,
  inputs: EncodedGraph["inputs"],
  fileName: (file: string) => string,
  defaults: Readonly<Record<string, HostTensor>>,
): readonly Field[] {
  const name = names.of(leaf);
  switch (leaf.source.kind) {
    case "input": {
      const usual = defaults[name]; // an initializer of an input's name is what is read where nothing is fed
      return usual ? [constantField(name, usual)] : [];
    }
    case "weight":
      return [weightField(name, { ...leaf.source.tensor, file: fileName(leaf.source.tensor.file) })];
    case "constant":
      return [constantField(name, leaf.source.tensor)];
    case "dims": {
      const { constants, nodes } = lengthNodes(name, leaf.source.dims, inputs);
      return [
        ...constants.map(([constant, tensor]) => constantField(constant, tensor)),
        ...nodes.map((node) => nodeField(node)),
      ];
    }
    case "node":
      return [];
  }
}

/**
 * An output that is itself a leaf, or that bears two names, is passed on by a node of its own, right behind its value.
 * ONNX Runtime computes first what the last node needs: of a model's gradients these are the top layer's, and their
 * operands leave the memory before the layer below has its turn.
 */
function passingNodes(
  results: readonly (readonly [string, Value])[],
  from: readonly Value[],
  names: Names,
): readonly NamedNode[] {
  return results
    .filter(([name, value]) => from.includes(value) && names.of(value) !== name)
    .map(([name, value]) => ({ type: "Identity", inputs: [names.of(value)], outputs: [name] }));
}

function named({ operator, inputs, outputs, attributes }: Node, names: Names): NamedNode {
  const name = (value: Value) => names.of(value);
  const own = Object.values(attributes).find(isBody)?.inputs.length; // what a body reads from outside is no operand
  return { ...operator, inputs: inputs.slice(0, own).map(name), outputs: outputs.map(name), attributes };
}

/** A node; `names` are needed where it holds a body. */
function nodeField(
  { type, domain = "", inputs, outputs, attributeKinds = {}, attributes = {} }: NamedNode,
  names?: Names,
): Field {
  return message(
    1,
    ...inputs.map((name) => string(1, name)),
    ...outputs.map((name) => string(2, name)),
    string(4, type),
    ...Object.entries(attributeKinds).map(([name, kind]) =>
      message(5, attributeField(name, kind, attributes[name], names)),
    ),
    string(7, domain),
  );
}

/** AttributeProto: name 1, f 2, i 3, s 4, g 6, ints 8, type 20 (1 float, 2 int, 3 string, 5 graph, 7 ints). */
function attributeField(
  name: string,
  kind: AttributeKind,
  value: Attributes[string] | undefined,
  names: Names | undefined,
): Field {
  if (kind === "int" && typeof value === "number") return [...string(1, name), ...int(3, value), ...int(20, 2)];
  if (kind === "float" && typeof value === "number") return [...string(1, name), ...float(2, value), ...int(20, 1)];
  if (kind === "string" && typeof value === "string") return [...string(1, name), ...string(4, value), ...int(20, 3)];
  if (kind === "ints" && Array.isArray(value)) {
    return [...string(1, name), ...value.flatMap((entry: number) => int(8, entry)), ...int(20, 7)];
  }
  if (kind === "graph" && value !== undefined && isBody(value) && names)
    return [...string(1, name), ...message(6, bodyField(value, names)), ...int(20, 5)];
  throw new InternalError(`attribute "${name}" should be ${kind}, is ${JSON.stringify(value)}`);
}

/** GraphProto: node 1, name 2, input 11, output 12. */
function bodyField(body: Body, names: Names): Field {
  const infos = (field: number, values: readonly Value[]) =>
    values.flatMap((value) => valueInfo(field, { ...value, name: names.of(value) }));
  const nodes = partsOf(body).nodes.flatMap((node) => nodeField(named(node, names), names));
  return [...nodes, ...string(2, "body"), ...infos(11, body.inputs), ...infos(12, body.outputs)];
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13, data_location 14 (1 external). */
function tensorFields(name: string, dtype: DType, shape: readonly number[]): Field[] {
  return [...shape.map((dim) => int(1, dim)), int(2, typeNumber(dtype)), string(8, name)];
}

function constantField(name: string, { dtype, shape, data }: HostTensor): Field {
  return message(
    5,
    ...tensorFields(name, dtype, shape),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function weightField(name: string, { dtype, shape, file, offset, byteLength }: StoredTensor): Field {
  const entry = (key: string, value: string) => message(13, string(1, key), string(2, value));
  const place = [entry("location", file), entry("offset", String(offset)), entry("length", String(byteLength))];
  return message(5, ...tensorFields(name, dtype, shape), ...place, int(14, 1));
}

interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  /** any shape where left out */
  readonly shape: Shape | undefined;
}

/** ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 | dim_param 2 } } } }. */
function valueInfo(field: number, { name, dtype, shape }: ValueInfo): Field {
  const axes = shape?.map((dim) => message(1, typeof dim === "number" ? int(1, dim) : string(2, dim)));
  const told = axes ? [message(2, ...axes)] : [];
  return message(field, string(1, name), message(2, message(1, int(1, typeNumber(dtype)), ...told)));
}

function typeNumber(dtype: DType): number {
  const number = onnxTypes.find(([name]) => name === dtype)?.[1];
  if (number === undefined) throw new InternalError(`ONNX has no type ${dtype}`);
  return number;
}

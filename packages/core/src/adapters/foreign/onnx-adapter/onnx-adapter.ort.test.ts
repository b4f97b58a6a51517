import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import {
  distance,
  goldenBase,
  goldenFolder,
  goldenJson,
  logitsOf,
  type Row,
} from "../../../checkpoints/golden.fake.ts";
import { memoryFolder, memorySource } from "../../../containers/folder.ts";
import { onnxAdapterBytes, readOnnxAdapter } from "../../../containers/onnx-adapter-file.ts";
import { readFloat32 } from "../../../containers/stored-values.ts";
import { encodeOnnxForAdapters } from "../../../exports/onnx-file.ts";
import { join, message } from "../../../onnx/protobuf.ts";
import { adapt } from "../../../peft/adapt.ts";
import { initialPhi } from "../../../peft/initial-phi.ts";
import { bottleneck } from "../../../peft/methods/bottleneck/bottleneck.ts";
import { full } from "../../../peft/methods/full.ts";
import { readAdapter } from "../../adapter-files.ts";
import { loadAdapterFiles } from "../../adapter-on-base.ts";
import { roundTrip } from "../round-trip.fake.ts";
import { onnxAdapter } from "./onnx-adapter.ts";

// float32 sums in another order than torch's; logits are about 1
const tolerance = 1e-4;

test.each(["bert-lora-rslora", "bert-lora-patterns", "bert-dora", "bert-vera", "gpt2-pissa", "bert-prefix"])(
  "%s: written for ONNX Runtime and read again, the adapter gives PEFT's logits",
  async (name) => {
    const { before, after, logits, wanted } = await roundTrip(onnxAdapter, name);
    expect(distance(logits, wanted)).toBeLessThan(tolerance);
    expect(after.labels).toEqual(before.labels);
  },
);

/** The fields of a message of Protocol Buffers: number, content, and all bytes. */
function* fieldsOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; ) {
    const begin = at;
    const varint = () => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = bytes[at++] ?? 0;
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    const tag = varint();
    const value = tag % 8 === 5 ? 4 : varint();
    const content = at;
    if (tag % 8 !== 0) at += value;
    yield { field: Math.floor(tag / 8), content: bytes.subarray(content, at), all: bytes.subarray(begin, at) };
  }
}

/** A ModelProto whose inputs of these names have no default: of GraphProto the field 5, of TensorProto the name 8. */
function withoutDefaults(model: Uint8Array, names: readonly string[]): Uint8Array {
  const isDefault = (tensor: Uint8Array) =>
    [...fieldsOf(tensor)].some(
      ({ field, content }) => field === 8 && names.includes(new TextDecoder().decode(content)),
    );
  const kept = (graph: Uint8Array) =>
    [...fieldsOf(graph)].flatMap(({ field, content, all }) => (field === 5 && isDefault(content) ? [] : [all]));
  return join(
    [...fieldsOf(model)].flatMap(({ field, content, all }) => (field === 7 ? message(7, kept(content)) : [all])),
  );
}

/**
 * What the graph computes while an adapter is active. onnxruntime-node has no call for that, and feeds no input that has a
 * default; so the defaults of what the adapter holds are taken out, and its tensors are fed as ONNX Runtime does it.
 */
async function logitsWith(graph: Uint8Array, file: string | Uint8Array | undefined, rows: readonly Row[]) {
  const source = memorySource("m", typeof file === "object" ? file : onnxAdapterBytes([]));
  const parameters = await readOnnxAdapter(source);
  const fed: Record<string, ort.Tensor> = {};
  for (const [name, stored] of parameters) {
    fed[name] = new ort.Tensor("float32", await readFloat32(source, stored), stored.shape);
  }
  const model = withoutDefaults(graph, [...parameters.keys()]);
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  expect([...session.inputNames].sort()).toEqual([...Object.keys(fed), ...batchInputs].sort());
  const wide = (ids: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(ids.map(BigInt)), [1, ids.length]);
  const found: number[][] = [];
  for (const { input_ids: ids, attention_mask: mask = ids.map(() => 1), token_type_ids: types } of rows) {
    const row = { input_ids: wide(ids), attention_mask: wide(mask), token_type_ids: wide(types ?? ids.map(() => 0)) };
    const { logits } = await session.run({ ...row, ...fed });
    found.push(Array.from(logits?.data ?? [], Number));
  }
  await session.release();
  return found;
}

const batchInputs = ["attention_mask", "input_ids", "token_type_ids"];
const naming = { name: "adapter", baseName: undefined };

describe("one graph with inputs for the adapter", async () => {
  const { base, rows } = await goldenBase("bert-sequence-classification");
  const loaded = await loadAdapterFiles(goldenFolder("adapters/bert-lora-all-linear"), base);
  const graph = await encodeOnnxForAdapters(base, loaded);

  test("is the base where no adapter is active, asks for the batch alone, and has its config.json", async () => {
    const wanted = goldenJson("adapters/bert-lora-all-linear/golden.json").base_logits;
    expect(distance(await logitsWith(graph["model.onnx"], undefined, rows), wanted)).toBeLessThan(tolerance);
    expect(JSON.parse(graph["config.json"]).architectures).toEqual(["BertForSequenceClassification"]);
  });

  // ranks 2 to 8, scales alpha / rank and alpha / √rank, all layers and some
  test.each(["bert-lora-all-linear", "bert-lora", "bert-lora-rslora", "bert-lora-patterns", "bert-lora-layers"])(
    "computes with %s what PEFT does, whatever its rank, alpha and layers",
    async (name) => {
      const { files } = onnxAdapter.encode(await loadAdapterFiles(goldenFolder(`adapters/${name}`), base), naming);
      const wanted = goldenJson(`adapters/${name}/golden.json`).logits;
      const found = await logitsWith(graph["model.onnx"], files["adapter.onnx_adapter"], rows);
      expect(distance(found, wanted)).toBeLessThan(tolerance);
    },
  );
});

test("a bottleneck, which no weight can hold, is an input as well", async () => {
  const { base, rows, path } = await goldenBase("bert-sequence-classification");
  const adapted = adapt(base, [bottleneck.use({ size: 4 })], { task: "classification", labels: 3 });
  const phi = await initialPhi(adapted, 1);
  for (let i = 0; i < phi.values.length; i++) phi.values[i] = (phi.values[i] ?? 0) + 0.2 * Math.sin(i * i);
  const graph = await encodeOnnxForAdapters(base, { adapted, phi });
  const { files } = onnxAdapter.encode({ adapted, phi, labels: ["a", "b", "c"] }, naming);
  const found = await logitsWith(graph["model.onnx"], files["adapter.onnx_adapter"], rows);
  expect(distance(found, await logitsOf(adapted, phi, rows, path))).toBeLessThan(tolerance);
});

test("a whole model has no graph to be fed to", async () => {
  const { base } = await goldenBase("bert-sequence-classification");
  const adapted = adapt(base, [full.use({})], { task: "classification", labels: 3 });
  await expect(encodeOnnxForAdapters(base, { adapted, phi: await initialPhi(adapted, 1) })).rejects.toThrow(
    "after full fine-tuning everything is the adapter",
  );
});

test("another program's file is refused with the reason that its names are a graph's", async () => {
  const bytes = onnxAdapterBytes([]);
  const read = (files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>) =>
    readAdapter(memoryFolder("olive", files));
  await expect(read({ "a.onnx_adapter": bytes })).rejects.toThrow(
    "olive/a.onnx_adapter: has no adapter_config.json of petl's beside it; its parameters are named by the inputs of a graph",
  );
  await expect(read({ "a.onnx_adapter": bytes, "b.onnx_adapter": bytes })).rejects.toThrow(
    "olive: holds several adapters: a.onnx_adapter, b.onnx_adapter",
  );
  const lost = JSON.stringify({ petl_method: "lora", petl_options: { rnak: 4 } });
  await expect(read({ "a.onnx_adapter": bytes, "adapter_config.json": lost })).rejects.toThrow("adapter_config.json");
});

import { readJson } from "../../../containers/folder.ts";
import { onnxAdapterBytes, readOnnxAdapter } from "../../../containers/onnx-adapter-file.ts";
import { InputError } from "../../../errors.ts";
import { namedLabels } from "../../../peft/adapter.ts";
import { tensorsOf } from "../../../peft/phi.ts";
import { isRecord } from "../../../values.ts";
import { readPetlFields, writePetlFields } from "../../petl-fields.ts";
import { type ForeignFormat, foreignAdapter, renamed } from "../foreign-format.ts";
import { unitScale } from "./unit-scale.ts";

const adapterFile = "adapter.onnx_adapter";
const configFile = "adapter_config.json";
const isOnnxAdapter = (file: string): boolean => file.endsWith(".onnx_adapter");

/**
 * ONNX Runtime's `.onnx_adapter`: tensors that a session feeds to the inputs of their names while the adapter is active.
 * The names are those of the graph that encodeOnnxForAdapters writes, petl's own. What the file cannot say stands in the
 * adapter_config.json beside it, by which petl reads it again.
 */
export const onnxAdapter: ForeignFormat = {
  name: "onnx-adapter",
  summary: "ONNX Runtime, for the graph that a merge with adapter inputs writes",
  recognizes: (files) => files.some(isOnnxAdapter) && !files.some((file) => file.startsWith("adapter_model.")),
  async read(folder) {
    const present = await folder.files();
    const [file = "", ...more] = present.filter(isOnnxAdapter);
    const config = present.includes(configFile) ? await readJson(folder, configFile) : undefined;
    if (more.length > 0) {
      throw new InputError(`${folder.name}: holds several adapters: ${[file, ...more].join(", ")}; one folder has one`);
    }
    if (!isRecord(config) || !("petl_method" in config)) {
      throw new InputError(
        `${folder.name}/${file}: has no ${configFile} of petl's beside it; its parameters are named by the inputs of a ` +
          "graph that only the program that wrote it knows, so that no method can be read from it",
      );
    }
    const petl = readPetlFields(config, `${folder.name}/${configFile}`);
    const name = "base_model_name_or_path" in config ? config.base_model_name_or_path : undefined;
    const source = await folder.open(file);
    const tensors = await readOnnxAdapter(source);
    const said = { folder, layout: "onnx-adapter", methods: petl.methods, petl } as const;
    return foreignAdapter(
      { ...said, baseName: typeof name === "string" ? name : undefined },
      [...tensors].map(([key, stored]) => renamed(source, stored, key)),
    );
  },
  encode(adapter, { baseName }) {
    const { adapted, phi } = unitScale(adapter);
    const fields = writePetlFields(adapted, { baseName: baseName ?? null, labels: namedLabels(adapter) });
    const config = { peft_type: null, base_model_name_or_path: baseName ?? null, ...fields };
    return {
      files: {
        [adapterFile]: onnxAdapterBytes(Object.entries(tensorsOf(phi))),
        [configFile]: `${JSON.stringify(config, null, 2)}\n`,
      },
    };
  },
};

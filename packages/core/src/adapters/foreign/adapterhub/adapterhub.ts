import { torchFileBytes } from "../../../containers/torch/torch-writer.ts";
import { InputError } from "../../../errors.ts";
import { objectiveOf } from "../../../objectives/objectives.ts";
import { unknownFields } from "../../unknown-fields.ts";
import { type ForeignFormat, foreignAdapter, type Hints } from "../foreign-format.ts";
import { readBottleneck } from "./adapterhub-bottleneck.ts";
import { hubBottleneck, hubHead, hubLowRank, hubPrefix } from "./adapterhub-encode.ts";
import { type HubFiles, isHubFile, readHubFiles } from "./adapterhub-files.ts";
import { readHead } from "./adapterhub-head.ts";
import { readLowRankHub } from "./adapterhub-low-rank.ts";
import { readHubPrefix } from "./adapterhub-prefix.ts";

/**
 * AdapterHub's library, `adapters`: bottlenecks, LoRA, (IA)³ and prefixes with their heads, as its save_adapter writes
 * them. Writes torch files, which its load_adapter reads unless it is told otherwise.
 * Source: adapter-hub/adapters 1.3.0, loading.py, configuration/adapter_config.py and methods/
 */
export const adapterHub: ForeignFormat = {
  name: "adapterhub",
  summary: "AdapterHub's library, for bottlenecks, LoRA, (IA)³ and prefixes",
  recognizes: (files, config) =>
    files.some(isHubFile) || (typeof config?.config === "object" && config.config !== null && !("peft_type" in config)),
  async read(folder, hints) {
    const files = await readHubFiles(folder);
    const { use, tensors } = atPlace(`${folder.name}/adapter_config.json`, () => readAnatomy(files, hints));
    const { tensors: own, ...head } = readHead(files, folder.name);
    const remarks = unknownFields(files.config, knownFields, `${folder.name}/adapter_config.json`);
    const said = { folder, layout: "adapterhub", methods: [use], modelType: files.model_type, remarks } as const;
    return foreignAdapter({ ...said, ...head, baseName: files.model_name ?? undefined }, [...tensors, ...own]);
  },
  encode({ adapted, phi, labels }, { name, baseName }) {
    const { model } = adapted.base;
    const { config, tensors } =
      hubBottleneck(adapted, phi, name) ?? hubPrefix(adapted, phi, name) ?? hubLowRank(adapted, phi, name);
    const about = {
      hidden_size: model.sizes.hidden,
      model_class: model.classes[objectiveOf(adapted.goal.task).head] ?? model.classes.base,
      model_name: baseName ?? null,
      model_type: model.modelType,
      version,
    };
    const head = hubHead(adapted, phi, labels?.map(String));
    return {
      files: {
        "adapter_config.json": text({ config, name, ...about }),
        "pytorch_adapter.bin": torchFileBytes(tensors),
        ...(head && {
          "head_config.json": text({ config: null, name: null, ...head.fields, ...about }),
          "pytorch_model_head.bin": torchFileBytes(head.tensors),
        }),
      },
    };
  },
};

/** What the library writes of its methods: it is read, refused, or says something of training and of other fields alone. */
const knownFields = [
  ...["architecture", "mh_adapter", "output_adapter", "non_linearity", "reduction_factor", "is_parallel", "scaling"],
  ...["original_ln_before", "original_ln_after", "ln_before", "ln_after", "residual_before_ln", "use_gating"],
  ...["adapter_residual_before_ln", "cross_adapter", "leave_out", "dropout", "init_weights", "init_weights_seed"],
  ...[
    "inv_adapter",
    "inv_adapter_reduction_factor",
    "stochastic_depth",
    "phm_layer",
    "phm_bias",
    "phm_c_init",
    "phm_dim",
  ],
  ...["phm_init_range", "phm_rank", "factorized_phm_W", "factorized_phm_rule", "shared_W_phm", "shared_phm_rule"],
  ...["learn_phm", "hypercomplex_nonlinearity", "selfattn_lora", "intermediate_lora", "output_lora", "attn_matrices"],
  ...["r", "alpha", "composition_mode", "dtype"],
  ...["encoder_prefix", "cross_prefix", "flat", "prefix_length", "bottleneck_size", "shared_gating"],
];

/** The library's version whose fields are written. */
const version = "adapters.1.3.0";

function readAnatomy(files: HubFiles, hints: Hints) {
  const { architecture } = files.config;
  if (architecture === null || architecture === undefined) return readBottleneck(files);
  if (architecture === "lora") return readLowRankHub(files);
  if (architecture === "prefix_tuning") return readHubPrefix(files, hints);
  throw new InputError(
    `config.architecture "${architecture}" is not supported; petl reads bottlenecks, lora and prefix_tuning`,
  );
}

/** Runs; problems begin with the file that they are of. */
function atPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(error.problems.map((problem) => `${place}: ${problem}`));
    throw error;
  }
}

/** The library takes `"scaling": 1.0` for a number and `1` for a mistake. */
const text = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(/("scaling": -?\d+)(?=,?\n)/, "$1.0")}\n`;

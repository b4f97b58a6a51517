import { type HfModel, readBase } from "../checkpoints/hf-model.ts";
import { memoryFolder } from "../containers/folder.ts";
import { InputError } from "../errors.ts";
import { modelOf } from "../models/models.ts";
import { objectiveOf, objectives, type Task } from "../objectives/objectives.ts";
import type { AdapterFiles } from "./adapter-files.ts";

/**
 * A base as large as an adapter's own tensors say, for conversions that need no weight and of which nobody gave the base:
 * its layers are those that the adapter reaches, sizes that no tensor tells are the architecture's usual ones, and heads
 * of attention, which no tensor tells, are as few as possible.
 *
 * @throws InputError where the tensors' names lead to no architecture
 */
export async function inferredBase(adapter: AdapterFiles): Promise<HfModel> {
  const { folder, tensors, baseName } = adapter;
  const said = adapter.writer === "foreign" ? adapter.modelType : undefined;
  const modelType = said ?? modelTypeOf(tensors.keys());
  if (modelType === undefined) {
    throw new InputError(
      `${folder.name}: its tensors' names lead to no architecture that petl knows; give the base with --base`,
    );
  }
  const config = { model_type: modelType, ...fieldsOf(sizesOf(adapter)) };
  const { classes } = modelOf(config);
  const task = taskOf(adapter, modelType);
  const named = { ...config, architectures: [classes[objectiveOf(task).head] ?? classes.base] };
  const name = baseName ?? modelType;
  return {
    ...(await readBase(memoryFolder(name, { "config.json": JSON.stringify(named) }), { weights: false })),
    name,
  };
}

/** Architectures by what their tensors' names begin with; Llama stands for those that are named like it. */
const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^bert\./, "bert"],
  [/^roberta\./, "roberta"],
  [/^distilbert\./, "distilbert"],
  [/^transformer\.h\./, "gpt2"],
  [/^model\.layers\.\d+\.(self_attn\.qkv_proj|mlp\.gate_up_proj)\./, "phi3"],
  [/^model\.layers\./, "llama"],
];

function modelTypeOf(names: Iterable<string>): string | undefined {
  const all = [...names];
  return beginnings.find(([beginning]) => all.some((name) => beginning.test(name)))?.[1];
}

/** An encoder without a word on its task classifies; a decoder is a language model unless it brings a classifier. */
function taskOf(adapter: AdapterFiles, modelType: string): Task {
  if (adapter.writer === "petl") return adapter.petl.task;
  if (adapter.writer === "foreign" && adapter.task) return adapter.task;
  const said = adapter.writer === "peft" && objectives.find(({ peftTask }) => peftTask === adapter.peft.taskType);
  if (said) return said.name;
  const decodes = ["gpt2", "phi3", "llama"].includes(modelType);
  const classifies = [...adapter.tensors.keys()].some((name) => name.startsWith("score."));
  return decodes && !classifies ? "causal-lm" : "classification";
}

type Size = "layers" | "hidden" | "inner" | "queries" | "keys";

/** Linear layers by the ends of their paths: what goes in and what comes out. */
const layers: readonly (readonly [RegExp, Size, Size])[] = [
  [/\.(query|key|value|[qkv]_lin|out_lin|attention\.output\.dense)$/, "hidden", "hidden"],
  [/\.(intermediate\.dense|lin1|c_fc|gate_proj|up_proj)$/, "hidden", "inner"],
  [/\.(output\.dense|lin2|mlp\.c_proj|down_proj)$/, "inner", "hidden"],
  [/\.q_proj$/, "hidden", "queries"],
  [/\.[kv]_proj$/, "hidden", "keys"],
  [/\.o_proj$/, "queries", "hidden"],
];

/** The sizes that an adapter's tensors tell. */
function sizesOf({ tensors }: AdapterFiles): ReadonlyMap<Size, number> {
  const found = new Map<Size, number>();
  for (const [name, { shape }] of tensors) {
    const layer = Number(/\.(?:layer|layers|h)\.(\d+)\./.exec(name)?.[1] ?? -1);
    found.set("layers", Math.max(found.get("layers") ?? 1, layer + 1));
    const dot = /\.(lora_[AB]|ia3_l|lora_magnitude_vector|adapter_(?:down|up))(?:\.weight)?$/.exec(name);
    if (!dot) continue;
    const [inside, outside] = [shape[1] ?? 0, shape[0] ?? 0];
    const path = name.slice(0, dot.index);
    const [, input, output] = layers.find(([end]) => end.test(path)) ?? [];
    if (dot[1] === "adapter_down") found.set("hidden", inside);
    else if (/\.(c_attn|attn\.c_proj|qkv_proj|gate_up_proj)$/.test(path) && dot[1] === "lora_A")
      found.set("hidden", inside);
    else if (input && output) {
      if (dot[1] === "lora_A" || (dot[1] === "ia3_l" && outside === 1)) found.set(input, inside);
      if (dot[1] === "lora_B" || (dot[1] === "ia3_l" && inside === 1)) found.set(output, outside);
    }
  }
  return found;
}

/** Fields of config.json, under the names that every family of architectures has for them. */
function fieldsOf(sizes: ReadonlyMap<Size, number>): Readonly<Record<string, number>> {
  const [count, hidden, inner] = [sizes.get("layers"), sizes.get("hidden"), sizes.get("inner")];
  const keys = sizes.get("keys") ?? sizes.get("queries");
  const queries = sizes.get("queries") ?? keys;
  const heads = keys !== undefined && queries !== undefined ? queries / keys : 1;
  const fields = {
    ...{ num_hidden_layers: count, n_layers: count, n_layer: count, hidden_size: hidden, dim: hidden, n_embd: hidden },
    ...{ intermediate_size: inner, hidden_dim: inner, n_inner: inner, head_dim: keys },
    ...{ num_attention_heads: heads, n_heads: heads, n_head: heads, num_key_value_heads: 1 },
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

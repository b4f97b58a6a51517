import { quote } from "../containers/json.ts";
import type { ProblemList } from "../containers/problem-list.ts";
import { methods } from "../peft/methods.ts";
import type { StoredTensor } from "../tensor/stored-tensor.ts";

/**
 * The tensors of an adapter's file under petl's names, which are Hugging Face's parameter names: PEFT puts
 * `base_model.model.` in front (prompt learning `base_model.`) and `base_layer` into the paths of layers that it wraps.
 * With bias "all" it writes a head's bias thrice; only the trained one is kept.
 */
export function plainTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  problems: ProblemList,
): ReadonlyMap<string, StoredTensor> {
  const plain = new Map<string, StoredTensor>();
  const wrapped: [string, StoredTensor][] = [];
  for (const [key, tensor] of tensors) {
    const name = plainName(key);
    if (/\.(modules_to_save|original_module)\./.test(name)) wrapped.push([name, tensor]);
    else if (plain.has(name)) problems.add(`tensor ${quote(name)} is there twice, once as ${quote(key)}`);
    else plain.set(name, tensor);
  }
  for (const [name, tensor] of wrapped) {
    const [module = "", rest = ""] = name.split(/\.(?:modules_to_save|original_module)\./);
    const names = [`${module}.${rest}`, `${module}.${rest.slice(rest.indexOf(".") + 1)}`]; // with an adapter's name or without
    if (!names.some((known) => plain.has(known))) plain.set(`${module}.${rest}`, tensor);
  }
  return plain;
}

/** Modules that PEFT puts between a module of the base and its tensors. */
const between = ["base_layer", ...methods.flatMap(({ peft }) => peft?.inside ?? [])];

function plainName(key: string): string {
  const name = key.replace(/^base_model\.(model\.)?/, "");
  const parts = name.split(".");
  return between.includes(parts.at(-2) ?? "") ? [...parts.slice(0, -2), ...parts.slice(-1)].join(".") : name;
}

interface PeftNaming {
  readonly prompt: boolean;
  readonly wrapped: ReadonlySet<string>;
  /** tensors of the base that lie in a module of their own inside of theirs, and the module's name */
  readonly inside: ReadonlyMap<string, string>;
}

/** The key under which PEFT keeps a tensor; `wrapped` are the layers that it wraps, which keep their own bias inside. */
export function peftKey(name: string, { prompt, wrapped, inside }: PeftNaming): string {
  if (!name.includes(".")) return prompt ? name : `base_model.${name}`;
  if (prompt) return `base_model.${name}`;
  const dot = name.lastIndexOf(".");
  const [module, tensor] = [name.slice(0, dot), name.slice(dot + 1)];
  const isBase = tensor === "bias" && wrapped.has(module);
  const own = inside.get(name);
  if (own !== undefined) return `base_model.model.${module}.${own}.${tensor}`;
  return `base_model.model.${isBase ? `${module}.base_layer.${tensor}` : name}`;
}

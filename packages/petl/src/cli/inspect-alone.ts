import type { AdapterFiles } from "@petl/core";

/** What an adapter's own files tell without its base; what only the base knows is null. */
export type AdapterAlone = ReturnType<typeof adapterAlone>;

/** Modules that Hugging Face's classes put on top of a base. */
const heads = /^(classifier|pre_classifier|cls|lm_head|score|vocab_\w+)\./;

/** Counts an adapter's tensors by their names. */
export function adapterAlone({ tensors, methods, layout, baseName }: AdapterFiles) {
  const names = [...tensors.keys()];
  const total = (inHead: boolean) =>
    [...tensors].reduce((sum, [name, { shape }]) => {
      return heads.test(name) === inHead ? sum + shape.reduce((a, b) => a * b, 1) : sum;
    }, 0);
  const paths = names.filter((name) => !heads.test(name)).map((name) => name.replace(/\.(lora_|ia3_).*$|\.[^.]+$/, ""));
  return {
    base: null,
    architecture: null,
    base_parameters: null,
    trained_parameters: total(false),
    head_parameters: total(true),
    trainable_ratio: null,
    trainable_ratio_with_head: null,
    methods: methods.map(({ name, options }) => ({ name, options })),
    adapter: { layout, made_for: baseName ?? null },
    targets: [...new Set(paths)],
  };
}

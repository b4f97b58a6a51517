import type { AdaptedModel } from "./adapt.ts";

/** Why the adapters of a model's kind are computed one at a time; none where the rows of a batch may have one each. */
export function aloneBecause({ methods, sites, layout, starts }: AdaptedModel): readonly string[] {
  const tables = sites.filter(
    ({ kind, path }) =>
      kind === "embedding" && layout.some(({ name, part }) => part === "adapter" && name.startsWith(`${path}.`)),
  );
  return [
    ...methods.flatMap(({ name, alone }) => (alone === undefined ? [] : [`${name}: ${alone}`])),
    ...(starts.length > 0 ? ["what it adds is measured from a start of its own"] : []),
    ...tables.map(({ path }) => `${path}: a row's own table would be looked up for every row`),
  ];
}

import { InputError } from "../errors.ts";
import type { Value } from "../graph/value.ts";
import { type AnnouncedSite, adapterScope, type Building, inHead, noteActing, placeOf } from "./building.ts";
import type { Action, MethodUse } from "./method.ts";
import { type Result, type Site, type SiteKindName, siteKinds } from "./site-kinds.ts";

/** A method at a site. */
interface Actor<K extends SiteKindName> {
  readonly use: MethodUse;
  readonly action: Action<K, readonly []>;
}

/** What a site gives when the methods have acted that target it, in their order; what it gives as it is where none does. */
export function act<K extends SiteKindName>(building: Building, kind: K, site: Site<K>): Result<K> {
  const row = siteKinds[kind];
  building.sites.push({ kind, path: site.path, layer: site.layer });
  const place = placeOf(building, site);
  const actors = actorsAt(building, { kind, ...place }, (action) => action.targets({ ...site, ...place }));
  if (actors.length === 0) return row.gives(site);
  noteMerging(building, kind, site, actors);
  let adapted = site;
  for (const { use, action } of actors) {
    const result = action.apply({ ...adapted, ...place }, adapterScope(building, place, use.name));
    adapted = row.behind(adapted, result);
  }
  return row.gives(adapted);
}

/** The methods that target a site; more than one only where they differ and each adds to what the others do. */
function actorsAt<K extends SiteKindName>(
  building: Building,
  { kind, path }: AnnouncedSite & { readonly kind: K },
  targets: (action: Action<K, readonly []>) => boolean,
): readonly Actor<K>[] {
  if (building.headTrained && inHead(building, path)) return [];
  const actors = building.methods.flatMap((use) => {
    const action = use.at(kind);
    return action && targets(action) ? [{ use, action }] : [];
  });
  const differ = new Set(actors.map(({ use }) => use.name)).size === actors.length;
  const together = actors.length === 1 || (differ && actors.every(({ action }) => action.adds));
  if (!together) {
    const names = actors.map(({ use }) => use.name).join(" and ");
    building.problems.add(`${names} cannot both act on ${path}`);
  }
  if (actors.length > 0) building.adaptedSites.add(path);
  for (const { use } of actors) noteActing(building, use, path);
  return together ? actors : actors.slice(0, 1);
}

/** Notes how a site is merged, or which methods cannot be. */
function noteMerging<K extends SiteKindName>(
  building: Building,
  kind: K,
  site: Site<K>,
  actors: readonly Actor<K>[],
): void {
  const { merging } = siteKinds[kind];
  const unmergeable = actors.filter(({ action }) => !merging || !action.merge);
  for (const { use } of unmergeable) building.unmergeable.add(use.name);
  if (!merging || unmergeable.length > 0) return;
  const place = placeOf(building, site);
  building.merges.push(() => {
    let whole = site;
    for (const { use, action } of actors) {
      const merged = action.merge?.({ ...whole, ...place }, adapterScope(building, place, use.name));
      if (merged) whole = merging.behind(whole, merged);
    }
    const changed = merging.tensors(whole);
    return [...bareOutputs(building, kind, site, actors), ...changed];
  });
}

/**
 * Where a table that is read as the output layer too was changed as a table alone, the output layer as it is without that.
 * @throws InputError where the output layer cannot be parted from the table
 */
function bareOutputs<K extends SiteKindName>(
  { shared, ties, frozen }: Building,
  kind: K,
  { path }: Site<K>,
  actors: readonly Actor<K>[],
): readonly (readonly [string, Value])[] {
  const table = `${path}.weight`;
  if (kind !== "embedding" || !shared.has(table)) return [];
  const outputs = [...ties].flatMap(([output, tied]) => (tied === table ? [output] : []));
  const bare = frozen.get(table)?.value;
  if (outputs.length > 0 && bare) return outputs.map((output) => [output, bare] as const);
  const names = actors.map(({ use }) => use.name).join(" and ");
  throw new InputError(`${names} on ${path} cannot be merged: the output layer reads that table too, unchanged`);
}

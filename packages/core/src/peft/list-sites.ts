import { announcedKinds } from "../nn/sites.ts";
import { adapt } from "./adapt.ts";
import type { Base } from "./base.ts";
import type { AnnouncedSite } from "./building.ts";
import type { Goal } from "./goal.ts";

/** Where a site is. */
type SitePlace = Pick<AnnouncedSite, "path" | "layer">;

/** What kinds of sites a model may have. */
export const announcedKindNames: readonly string[] = Object.keys(announcedKinds);

/**
 * Lists where methods can act at sites of a kind on a model with a task's head, the head's own linear layers included: each
 * once and in the model's order.
 */
export function listSites(base: Base, goal: Goal, kind: string): readonly SitePlace[] {
  const { sites } = adapt(base, [], { ...goal, trainsHead: false });
  const found = sites.filter((site) => site.kind === kind);
  return [...new Map(found.map(({ path, layer }) => [path, { path, layer }])).values()];
}

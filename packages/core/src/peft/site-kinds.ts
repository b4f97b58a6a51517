import type { Value } from "../graph/value.ts";
import type { EmbeddingSite } from "../nn/sites/embedding.ts";
import type { SiteKind as Kind } from "../nn/sites/site-kind.ts";
import { type Announced, announcedKinds } from "../nn/sites.ts";
import { withPrompt } from "./prompted.ts";

/** The words of a text that may stand behind a prompt: no site of an architecture's own, but one of its tables. */
const prompt: Kind<EmbeddingSite, Value> = {
  noun: "text's first words",
  gives: ({ y }) => y,
  behind: (site, vectors) => ({ ...site, y: withPrompt(site.y, vectors) }),
};

/** The kinds of sites that methods act at. */
type SiteKinds = Announced & {
  readonly prompt: { readonly site: EmbeddingSite; readonly result: Value; readonly merged: never };
};
export type SiteKindName = keyof SiteKinds;
export type Site<K extends SiteKindName> = SiteKinds[K]["site"];
export type Result<K extends SiteKindName> = SiteKinds[K]["result"];
export type MergedAt<K extends SiteKindName> = SiteKinds[K]["merged"];

/** Every kind of site: those that architectures announce, and the prompt's. Binding, listing and checks follow from its rows. */
export const siteKinds: { readonly [K in SiteKindName]: Kind<Site<K>, Result<K>, MergedAt<K>> } = {
  ...announcedKinds,
  prompt,
};

export const siteKindNames = Object.keys(siteKinds).filter((name): name is SiteKindName =>
  Object.hasOwn(siteKinds, name),
);

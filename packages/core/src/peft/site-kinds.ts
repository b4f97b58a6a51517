import { transpose } from "../graph/ops/transpose.ts";
import type { Value } from "../graph/value.ts";
import { type SiteKinds as Announced, type EmbeddingSite, type LinearSite, unchanged } from "../nn/sites.ts";
import { withPrompt } from "./prompted.ts";

/** What merging can change at sites whose work is a change of weights. */
interface Merged {
  readonly linear: Pick<LinearSite, "weight" | "bias">;
  readonly embedding: Pick<EmbeddingSite, "weight">;
}

/** The kinds of sites that methods act at: those that architectures announce, and the words of a text that may stand behind a prompt. */
type SiteKinds = Announced & {
  readonly prompt: { readonly site: EmbeddingSite; readonly result: Value };
};
export type SiteKind = keyof SiteKinds;
export type Site<K extends SiteKind> = SiteKinds[K]["site"];
export type Result<K extends SiteKind> = SiteKinds[K]["result"];
export type MergedAt<K extends SiteKind> = K extends keyof Merged ? Merged[K] : never;

/** A kind of site: everything that is to be known of it stands here. */
interface Row<K extends SiteKind> {
  /** what it is, for lists and messages */
  readonly noun: string;
  /** what it gives as it is */
  readonly gives: (site: Site<K>) => Result<K>;
  /** the site as it is behind a method, for the next one or as its result */
  readonly behind: (site: Site<K>, result: Result<K>) => Site<K>;
  /** how it is merged; left out where methods change no weight */
  readonly merging?: {
    readonly behind: (site: Site<K>, merged: MergedAt<K>) => Site<K>;
    /** its tensors of the base, by their names */
    readonly tensors: (site: Site<K>) => readonly (readonly [string, Value])[];
  };
}

/** Every kind of site. Hooks, binding, listing and checks follow from its rows. */
export const siteKinds: { readonly [K in SiteKind]: Row<K> } = {
  linear: {
    noun: "linear layer",
    gives: unchanged.linear,
    behind: (site, y) => ({ ...site, y }),
    merging: {
      behind: (site, merged) => ({ ...site, ...merged }),
      tensors: ({ path, weight, bias, transposed }) => [
        [`${path}.weight`, transposed ? transpose(weight, [1, 0]) : weight],
        ...(bias ? [[`${path}.bias`, bias] as const] : []),
      ],
    },
  },
  embedding: {
    noun: "embedding",
    gives: unchanged.embedding,
    behind: (site, y) => ({ ...site, y }),
    merging: {
      behind: (site, merged) => ({ ...site, ...merged }),
      tensors: ({ path, weight }) => [[`${path}.weight`, weight]],
    },
  },
  sublayer: {
    noun: "sublayer",
    gives: unchanged.sublayer,
    behind: (site, y) => ({ ...site, y }),
  },
  attention: {
    noun: "attention layer",
    gives: unchanged.attention,
    behind: (site, read) => ({ ...site, ...read }),
  },
  prompt: {
    noun: "text's first words",
    gives: ({ y }) => y,
    behind: (site, vectors) => ({ ...site, y: withPrompt(site.y, vectors) }),
  },
};

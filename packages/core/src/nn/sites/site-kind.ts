import type { Value } from "../../graph/value.ts";

/**
 * A kind of site: a place in a model where methods may act. One file in nn/sites, one line in nn/sites.ts; what announces,
 * lists, binds and merges sites follows from that. S is the site, R what it gives, M what merging changes of it.
 */
export interface SiteKind<S, R, M = never> {
  /** what it is, for lists and messages */
  readonly noun: string;
  /** what it gives as it is */
  readonly gives: (site: S) => R;
  /** the site as it is behind a method, for the next one or as its result */
  readonly behind: (site: S, result: R) => S;
  /** how it is merged; left out where methods change no weight */
  readonly merging?: {
    readonly behind: (site: S, merged: M) => S;
    /** its tensors of the base, by their names */
    readonly tensors: (site: S) => readonly (readonly [string, Value])[];
  };
}

import type { Bank } from "../library/bank.ts";
import type { AdapterShelf } from "./adapter-shelf.ts";
import type { Allowances } from "./allowance.ts";
import type { FileStore } from "./file-store.ts";
import type { Gate } from "./gate.ts";
import type { JobDesk } from "./job-desk.ts";
import type { Keys, Tenant } from "./keys.ts";
import type { Metrics } from "./metrics.ts";
import type { Models } from "./models.ts";

/** What the routes work with. */
export interface Service {
  readonly bank: Bank;
  readonly models: Models;
  readonly shelf: AdapterShelf;
  readonly files: FileStore;
  readonly jobs: JobDesk;
  /** aborted once the server is to end */
  readonly ending: AbortSignal;
  readonly keys: Keys;
  readonly allowances: Allowances;
  readonly metrics: Metrics;
  /** rows and prompts that are computed or wait */
  readonly gate: Gate;
  /** rows that are computed together at most */
  readonly maxBatch: number;
}

/** Notes what was computed for a tenant. */
export function note(
  { metrics, allowances }: Service,
  tenant: Tenant,
  read: number,
  written: number,
  rows: number,
): void {
  metrics.tokens(tenant.name, "read", read);
  metrics.tokens(tenant.name, "written", written);
  metrics.rows(tenant.name, rows);
  allowances.tokens(tenant, read + written);
}

/** Answers for rows in their order, so many at a time that others' rows come in between. */
export async function inTurns<Row, Found>(
  rows: readonly Row[],
  size: number,
  answer: (some: readonly Row[]) => Promise<readonly Found[]>,
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const all: Found[] = [];
  for (let start = 0; start < rows.length; start += size) {
    signal.throwIfAborted();
    all.push(...(await answer(rows.slice(start, start + size))));
  }
  return all;
}

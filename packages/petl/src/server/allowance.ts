import { HttpError } from "./http-error.ts";
import type { Limits, Tenant } from "./keys.ts";

/** What tenants may still ask for in this minute. */
export interface Allowances {
  /** @throws HttpError 429 once the tenant's requests or tokens of this minute are used up */
  request(tenant: Tenant): void;
  /** Notes tokens that were read or written for a tenant; they count against its next requests. */
  tokens(tenant: Tenant, count: number): void;
}

type Kind = "requests" | "tokens";

/** Buckets that fill up steadily: full, they hold a minute's allowance. */
export function openAllowances(now: () => number = () => performance.now()): Allowances {
  const buckets = new Map<string, { level: number; at: number }>();
  const bucket = ({ name, limits }: Tenant, kind: Kind) => {
    const full = fullOf(limits, kind);
    if (full === undefined) return undefined;
    const key = `${kind} ${name}`;
    const known = buckets.get(key) ?? { level: full, at: now() };
    known.level = Math.min(full, known.level + ((now() - known.at) / 60_000) * full);
    known.at = now();
    buckets.set(key, known);
    return { known, full };
  };
  return {
    request(tenant) {
      const [requests, tokens] = [bucket(tenant, "requests"), bucket(tenant, "tokens")];
      if (requests && requests.known.level < 1) throw spent("requests", requests.full, 1 - requests.known.level);
      if (tokens && tokens.known.level <= 0) throw spent("tokens", tokens.full, 1 - tokens.known.level);
      if (requests) requests.known.level -= 1;
    },
    tokens(tenant, count) {
      const found = bucket(tenant, "tokens");
      if (found) found.known.level -= count;
    },
  };
}

const fullOf = (limits: Limits, kind: Kind): number | undefined =>
  kind === "requests" ? limits.requests_per_minute : limits.tokens_per_minute;

function spent(kind: Kind, full: number, missing: number): HttpError {
  const seconds = Math.max(1, Math.ceil((missing / full) * 60));
  return new HttpError(429, `more than ${full} ${kind} a minute`, {
    code: "rate_limit_exceeded",
    headers: { "retry-after": String(seconds) },
  });
}

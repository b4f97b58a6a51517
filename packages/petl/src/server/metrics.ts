import type { Tenant } from "./keys.ts";

/** What the server counts, by tenant; a tenant sees its own. */
export interface Metrics {
  request(tenant: string, route: string, status: number, seconds: number): void;
  tokens(tenant: string, kind: "read" | "written", count: number): void;
  rows(tenant: string, count: number): void;
  /** Prometheus' text format (version 0.0.4). */
  text(tenant: Tenant, gauges: Readonly<Record<string, number>>): string;
}

/** Upper ends of the latency histogram's buckets, in seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

interface Series {
  readonly tenant: string;
  readonly labels: string;
  count: number;
  sum: number;
  readonly buckets: number[];
}

export function openMetrics(): Metrics {
  const counters = { requests: series(), seconds: series(), tokens: series(), rows: series() };
  return {
    request(tenant, route, status, seconds) {
      counters.requests.of(tenant, { route, status: String(status) }).count++;
      const time = counters.seconds.of(tenant, { route });
      time.count++;
      time.sum += seconds;
      for (const [at, bound] of bounds.entries()) if (seconds <= bound) time.buckets[at] = (time.buckets[at] ?? 0) + 1;
    },
    tokens(tenant, kind, count) {
      counters.tokens.of(tenant, { kind }).count += count;
    },
    rows(tenant, count) {
      counters.rows.of(tenant, {}).count += count;
    },
    text(tenant, gauges) {
      const seen = (all: ReturnType<typeof series>) =>
        all.list().filter((each) => tenant.admin || each.tenant === tenant.name);
      return [
        ...counter("petl_requests_total", "requests answered", seen(counters.requests)),
        ...histogram("petl_request_seconds", "from a request's arrival to its answer's end", seen(counters.seconds)),
        ...counter("petl_tokens_total", "tokens read and written", seen(counters.tokens)),
        ...counter("petl_rows_total", "rows answered", seen(counters.rows)),
        ...(tenant.admin ? Object.entries(gauges).flatMap(([name, value]) => gauge(name, value)) : []),
        "",
      ].join("\n");
    },
  };
}

function series() {
  const all = new Map<string, Series>();
  return {
    of(tenant: string, labels: Readonly<Record<string, string>>): Series {
      const text = Object.entries({ tenant, ...labels })
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(",");
      const known = all.get(text) ?? { tenant, labels: text, count: 0, sum: 0, buckets: bounds.map(() => 0) };
      all.set(text, known);
      return known;
    },
    list: (): readonly Series[] => [...all.values()],
  };
}

const head = (name: string, help: string, type: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];

const counter = (name: string, help: string, all: readonly Series[]): readonly string[] => [
  ...head(name, help, "counter"),
  ...all.map(({ labels, count }) => `${name}{${labels}} ${count}`),
];

const gauge = (name: string, value: number): readonly string[] => [
  ...head(name, name.replace(/^petl_/, "").replaceAll("_", " "), "gauge"),
  `${name} ${value}`,
];

const histogram = (name: string, help: string, all: readonly Series[]): readonly string[] => [
  ...head(name, help, "histogram"),
  ...all.flatMap(({ labels, count, sum, buckets }) => [
    ...bounds.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${buckets[at] ?? 0}`),
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${count}`,
  ]),
];

import type { Route } from "../route.ts";

/** Prometheus' text format; a tenant sees its own counts. */
export const metrics: Route = {
  verb: "GET",
  path: "/metrics",
  access: "tenant",
  body: "none",
  async answer({ service, tenant }) {
    const text = service.metrics.text(tenant, {
      petl_rows_inside: service.gate.inside(),
      petl_adapters: service.bank.list().length,
      petl_resident_memory_bytes: process.memoryUsage.rss(),
      petl_uptime_seconds: Math.round(process.uptime()),
    });
    return { kind: "bytes", type: "text/plain; version=0.0.4; charset=utf-8", bytes: Buffer.from(text) };
  },
};

import { Counter, Histogram, Registry } from "prom-client";
import type { Logger } from "../shared/logger.ts";
import { serveMetrics } from "../shared/metrics-server.ts";
import type { ApiConfig } from "./config.ts";
import type { HttpMetrics } from "./middleware/metrics.ts";

/** The upper bounds of what is measured in seconds: a request that waits for its result lasts up to a minute. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The metrics of the API on Node, all of them, and the registry that they are in. */
export function createMetrics(): HttpMetrics & { registry: Registry } {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "tresline_http_requests_total",
    help: "Requests that were answered; `route` is a pattern, `none` where there is no such page.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "tresline_http_request_duration_seconds",
    help: "How long a request took until its answer began.",
    buckets: SECONDS,
    labelNames: ["method", "route"],
    registers,
  });
  return {
    registry,
    requestAnswered({ method, route, status, ms }) {
      requests.inc({ method, route, status });
      seconds.observe({ method, route }, ms / 1_000);
    },
  };
}

/** The same, served where the configuration says. Throws ConfigError when nothing can listen there. */
export async function openMetrics(config: ApiConfig, logger: Logger): Promise<HttpMetrics> {
  const metrics = createMetrics();
  await serveMetrics(metrics.registry, config, logger);
  return metrics;
}

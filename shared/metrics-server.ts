import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Gauge, collectDefaultMetrics } from "prom-client";
import type { Registry } from "prom-client";
import type { z } from "zod";
import type { CommonConfig } from "./config.ts";
import { listenFault } from "./listen-fault.ts";
import type { Logger } from "./logger.ts";
import { VERSION } from "./version.ts";

/** The metrics of a process, served to Prometheus. */
export interface MetricsServer {
  close: () => Promise<void>;
}

/**
 * Serves a registry as `GET /metrics` at a port of its own, so that the port of the API never shows it; with it what Node and
 * the system tell of the process, and its version. Without METRICS_PORT nothing is served. Throws ConfigError when it cannot listen.
 */
export async function serveMetrics(
  registry: Registry,
  {
    METRICS_HOST: host,
    METRICS_PORT: port,
  }: Pick<z.output<typeof CommonConfig>, "METRICS_HOST" | "METRICS_PORT">,
  logger: Logger,
): Promise<MetricsServer> {
  if (port === undefined) return { close: async () => {} };
  collectDefaultMetrics({ register: registry });
  tellVersion(registry);
  const server = createServer((request, response) => void answer(request, response, registry, logger));
  server.listen(port, host);
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw listenFault(error, { host, port, variables: { host: "METRICS_HOST", port: "METRICS_PORT" } });
  });
  const address = server.address();
  const at = address !== null && typeof address === "object" ? address.port : port;
  logger.info({ url: `http://${host.includes(":") ? `[${host}]` : host}:${at}/metrics` }, "metrics ready");
  return {
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  registry: Registry,
  logger: Logger,
): Promise<void> {
  const plain = { "content-type": "text/plain; charset=utf-8" };
  if (method !== "GET" || url?.split("?")[0] !== "/metrics") {
    response.writeHead(404, plain).end("Metrics are at GET /metrics.\n");
    return;
  }
  try {
    const metrics = await registry.metrics();
    response.writeHead(200, { "content-type": registry.contentType }).end(metrics);
  } catch (err) {
    logger.error({ err }, "metrics could not be told");
    response.writeHead(500, plain).end("The metrics could not be told; the log says why.\n");
  }
}

/** Puts the version into a label, as is usual: the value is always 1. */
function tellVersion(registry: Registry): void {
  new Gauge({
    name: "tresline_build_info",
    help: "The version of Tresline that the process runs; always 1.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: VERSION }, 1);
}

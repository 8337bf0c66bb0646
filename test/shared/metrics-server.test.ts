import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Counter, Gauge, Registry } from "prom-client";
import { expect, onTestFinished, test, vi } from "vitest";
import { ConfigError } from "../../shared/config.ts";
import { serveMetrics } from "../../shared/metrics-server.ts";
import { openLog } from "../support/open-log.ts";
import { readExposition, valueOf } from "../support/read-exposition.ts";

/** Serves a registry with one counter on a free port. */
async function serve(prepare: (registry: Registry) => void = () => {}) {
  const registry = new Registry();
  new Counter({ name: "swans_total", help: "Swans.", registers: [registry] }).inc(3);
  prepare(registry);
  const { logger, log } = openLog();
  const server = await serveMetrics(registry, { METRICS_HOST: "127.0.0.1", METRICS_PORT: 0 }, logger);
  onTestFinished(server.close);
  return { url: String(log.find(({ msg }) => msg === "metrics ready")?.["url"]), log };
}

test("metrics are served as Prometheus takes them, with what Node tells of the process and its version", async () => {
  const { url } = await serve();
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const metrics = readExposition(await response.text());
  expect(valueOf(metrics, "swans_total")).toBe(3);
  expect(valueOf(metrics, "process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  expect(metrics.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(valueOf(metrics, "tresline_build_info", { version })).toBe(1);
});

test("nothing else is served there, and nothing is written to", async () => {
  const { url } = await serve();
  expect((await fetch(url.replace("/metrics", "/"))).status).toBe(404);
  expect((await fetch(`${url}/more`)).status).toBe(404);
  expect((await fetch(url, { method: "POST", body: "swans_total 4" })).status).toBe(404);
  expect((await fetch(`${url}?name[]=swans_total`)).status).toBe(200);
});

test("a metric that cannot be told is an error, in the answer and in the log", async () => {
  const { url, log } = await serve((registry) => {
    const collect = vi.fn<() => void>().mockRejectedValue(new Error("no swan was counted"));
    new Gauge({ name: "swans", help: "Swans.", registers: [registry], collect }).set(1);
  });
  const response = await fetch(url);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe("The metrics could not be told; the log says why.\n");
  expect(log.at(-1)).toMatchObject({ level: "error", msg: "metrics could not be told" });
});

test("without a port nothing is served", async () => {
  const { logger, log } = openLog();
  const server = await serveMetrics(
    new Registry(),
    { METRICS_HOST: "127.0.0.1", METRICS_PORT: undefined },
    logger,
  );
  await server.close();
  expect(log).toEqual([]);
});

test("a port that is taken is told with the variable that changes it", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const { logger } = openLog();
  const serving = serveMetrics(new Registry(), { METRICS_HOST: "127.0.0.1", METRICS_PORT: port }, logger);
  await expect(serving).rejects.toThrow(
    new ConfigError(`Port ${port} of 127.0.0.1 is taken; set METRICS_PORT to another.`),
  );
});

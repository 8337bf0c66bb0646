import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { createMetrics } from "../../api/metrics.ts";
import { newId } from "../../shared/new-id.ts";
import { readExposition, valueOf } from "../support/read-exposition.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** Sends requests to an API that counts them, and gives what a scrape shows afterwards. */
async function scrapeAfter(...requests: [method: string, path: string, key?: string][]) {
  const metrics = createMetrics();
  const app = createApp({ ...api.deps, metrics });
  for (const [method, path, key = API_KEY] of requests)
    await app.request(path, { method, headers: { authorization: `Bearer ${key}` } });
  return readExposition(await metrics.registry.metrics());
}

test("a request is counted and timed by its method, its route and its status, never by its path", async () => {
  const ids = [newId("bat"), newId("bat")];
  const scraped = await scrapeAfter(
    ...ids.map((id) => ["GET", `/v1/batches/${id}`] as [string, string]),
    ["GET", "/v1/batches?limit=1"],
    ["POST", "/v1/classifications"],
    ["GET", "/healthz"],
  );
  expect(scraped.get("tresline_http_requests_total")?.samples["tresline_http_requests_total"]).toEqual([
    { labels: { method: "GET", route: "/v1/batches/:id", status: "404" }, value: 2 },
    { labels: { method: "GET", route: "/v1/batches", status: "200" }, value: 1 },
    { labels: { method: "POST", route: "/v1/classifications", status: "400" }, value: 1 },
    { labels: { method: "GET", route: "/healthz", status: "200" }, value: 1 },
  ]);
  const took = { method: "GET", route: "/v1/batches/:id" };
  expect(valueOf(scraped, "tresline_http_request_duration_seconds_count", took)).toBe(2);
  expect(valueOf(scraped, "tresline_http_request_duration_seconds_sum", took)).toBeGreaterThan(0);
});

test("a request that is refused before its route is counted there all the same", async () => {
  const scraped = await scrapeAfter(["GET", `/v1/batches/${newId("bat")}`, "of-nobody"]);
  const labels = { route: "/v1/batches/:id", status: "401" };
  expect(valueOf(scraped, "tresline_http_requests_total", labels)).toBe(1);
});

test("requests for what there is not are counted together, whatever they ask for", async () => {
  const scraped = await scrapeAfter(["GET", "/wp-admin"], ["GET", "/v1/nothing/1"], ["GET", "/v1/nothing/2"]);
  expect(scraped.get("tresline_http_requests_total")?.samples["tresline_http_requests_total"]).toEqual([
    { labels: { method: "GET", route: "none", status: "404" }, value: 3 },
  ]);
});

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { readExposition, valueOf } from "../support/read-exposition.ts";
import { startTestTresline } from "../support/running-tresline.ts";
import type { RunningTresline } from "../support/running-tresline.ts";

let tresline: RunningTresline;
let images: TestServer;
beforeAll(async () => {
  images = await startTestServer(() => ({ status: 200, body: sample("bar_chart_06.png") }));
  tresline = await startTestTresline({ METRICS_PORT: "0" });
});
afterAll(async () => {
  await tresline?.stop();
  await images.stop();
});

/** What a process shows, found where its log says. */
async function scrape(service: "api" | "worker") {
  const lines = readFileSync(tresline.logFile, "utf8").trimEnd().split("\n");
  const ready = lines
    .filter((line) => line.includes('"metrics ready"'))
    .map((line) => JSON.parse(line) as { service: string; url: string })
    .find((line) => line.service === service);
  if (ready === undefined) throw new Error(`The log does not say where the metrics of the ${service} are.`);
  expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+\/metrics$/);
  return readExposition(await (await fetch(ready.url)).text());
}

test("one image shows in the metrics of the worker that labelled it and of the API that took it", async () => {
  const { status } = await tresline.ended(await tresline.classify(`${images.url}/chart.png`));
  expect(status).toBe("succeeded");
  const labelled = { lane: "interactive", outcome: "succeeded", reason: "" };
  // The result is stored just before it is counted.
  const counted = async () => valueOf(await scrape("worker"), "tresline_images_total", labelled);
  await expect.poll(counted, { timeout: 10_000 }).toBe(1);
  const worker = await scrape("worker");
  expect(valueOf(worker, "tresline_stage_seconds_count", { stage: "inference" })).toBe(1);
  expect(valueOf(worker, "tresline_engine_seconds_count", { rung: "1" })).toBe(1);
  expect(valueOf(worker, "tresline_model_info", { model: "figures", device: "cpu" })).toBe(1);
  expect(valueOf(worker, "tresline_engine_instances")).toBe(1);
  const waiting = { queue: "classify.figures.interactive", state: "waiting" };
  // A scrape does without what Redis does not answer within two seconds.
  const queued = async () => valueOf(await scrape("worker"), "tresline_queue_jobs", waiting);
  await expect.poll(queued, { timeout: 20_000 }).toBe(0);
  const api = await scrape("api");
  const taken = { method: "POST", route: "/v1/classifications", status: "202" };
  expect(valueOf(api, "tresline_http_requests_total", taken)).toBe(1);
  expect(api.has("tresline_images_total")).toBe(false);
});

test("the port of the API shows no metrics", async () => {
  expect((await fetch(`${tresline.url}/metrics`)).status).toBe(404);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { redisKeys } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { announceModel } from "../../shared/state/models.ts";
import { WorkerConfig } from "../../worker/config.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { readBacklog } from "../../worker/read-backlog.ts";
import { enqueueMessage } from "../support/enqueue-message.ts";
import { imageJob } from "../support/labelling.ts";
import { valueOf } from "../support/read-exposition.ts";
import { scrapeMetrics } from "../support/scrape-metrics.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";

let opened: WorkerTestDeps;
let deps: WorkerTestDeps;
let metrics: WorkerMetrics;
beforeAll(async () => {
  opened = await openWorkerDeps();
});
afterAll(() => opened.stop());
// Each test counts from 0.
beforeEach(async () => {
  await opened.redis.flushall();
  metrics = createMetrics();
  deps = { ...opened, metrics };
});

/** How long an expectation is given that something else has to fulfil, in milliseconds. */
const SOON = { timeout: 10_000 };
const scrape = () => scrapeMetrics(metrics);

test("what waits is asked of Redis at a scrape: every queue, state by state, and how long", async () => {
  const config = WorkerConfig.parse({ MODEL: "never-served@sha256:" + "0".repeat(64) });
  await announceModel(deps.redis, {
    name: "waiting",
    digest: "sha256:1",
    num_classes: 2,
    device: "cpu",
    input_size: [4, 4],
    served_at: new Date().toISOString(),
  });
  const queue = queueNames.classify("waiting", "interactive");
  await deps.queues.enqueueClassify(
    "waiting",
    "interactive",
    [1, 2].map(() => imageJob("/swan")).map((payload) => ({ id: payload.id, payload })),
  );
  await enqueueMessage(deps.queues, "https://client.example/hook");
  await deps.queues.admin.pause(queue);
  const backlog = () => readBacklog({ ...deps, config });
  await expect.poll(async () => (await backlog()).oldestMessageS, SOON).toBeGreaterThan(0.01);
  // Read before the scrape, which waits for it no longer than two seconds.
  const found = await backlog();
  metrics.watchBacklog(async () => found);
  const scraped = await scrape();
  const jobs = (state: string, of = queue) => valueOf(scraped, "tresline_queue_jobs", { queue: of, state });
  expect([jobs("waiting"), jobs("due"), jobs("put_off"), jobs("active"), jobs("dead")]).toEqual([
    2, 0, 0, 0, 0,
  ]);
  expect(jobs("waiting", queueNames.deliver)).toBe(1);
  expect(valueOf(scraped, "tresline_queue_oldest_age_seconds", { queue })).toBeGreaterThan(0.01);
  expect(valueOf(scraped, "tresline_webhook_oldest_pending_age_seconds")).toBeGreaterThan(0.01);
  expect(valueOf(scraped, "tresline_queue_paused", { queue })).toBe(1);
  expect(valueOf(scraped, "tresline_queue_paused", { queue: queueNames.scan })).toBe(0);
  const known = scraped.get("tresline_queue_paused")?.samples["tresline_queue_paused"] ?? [];
  expect(known.map(({ labels }) => String(labels["queue"])).toSorted()).toEqual(
    ["never-served", "waiting"]
      .flatMap((model) => [`${model}.bulk`, `${model}.interactive`, `${model}.objects`])
      .map((name) => `classify.${name}`)
      .concat("deliver", "scan")
      .toSorted(),
  );
});

test("while Redis does not answer nothing is told of what waits, and the rest is", async () => {
  metrics.watchBacklog(() => new Promise(() => {}));
  const scraped = await scrape();
  expect(scraped.get("tresline_queue_jobs")?.samples).toEqual({});
  expect(scraped.get("tresline_webhook_oldest_pending_age_seconds")?.samples).toEqual({});
  expect(valueOf(scraped, "tresline_chunks_total")).toBe(0);
});

test("what waits and cannot be understood is told in the log, since no scrape tells it", async () => {
  await deps.redis.hset(redisKeys.models(), "birds", "not JSON");
  const config = WorkerConfig.parse({});
  metrics.watchBacklog(() => readBacklog({ ...deps, config }));
  expect((await scrape()).get("tresline_queue_jobs")?.samples).toEqual({});
  const told = { level: "warn", msg: "nobody can tell Prometheus what waits" };
  expect(deps.log).toContainEqual(expect.objectContaining(told));
});

test("the memory of the GPUs is what the driver tells; one that does not answer tells nothing", async () => {
  const gpus = [
    { name: "NVIDIA H200", memory: 150_000, free_memory: 90_000 },
    { name: "NVIDIA H200", memory: 150_000, free_memory: 150_000 },
  ];
  metrics.watchGpus(async () => ({ driver: "580.1", gpus }));
  const scraped = await scrape();
  expect(valueOf(scraped, "tresline_gpu_memory_used_bytes", { gpu: "0" })).toBe(60_000);
  expect(valueOf(scraped, "tresline_gpu_memory_used_bytes", { gpu: "1" })).toBe(0);
  expect(valueOf(scraped, "tresline_gpu_memory_total_bytes", { gpu: "1" })).toBe(150_000);
  metrics = createMetrics();
  metrics.watchGpus(async () => ({ error: "nvidia-smi is not installed" }));
  expect((await scrape()).get("tresline_gpu_memory_used_bytes")?.samples).toEqual({});
});

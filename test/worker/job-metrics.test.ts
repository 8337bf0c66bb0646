import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../../worker/consume.ts";
import { deliverMessage } from "../../worker/deliver/deliver-message.ts";
import { createReceiverSlots } from "../../worker/deliver/receiver-slots.ts";
import { MAX_ATTEMPTS as MAX_DELIVERY_ATTEMPTS } from "../../worker/deliver/schedule.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { createSafeFetch } from "../../worker/net/safe-fetch.ts";
import { startTestServer } from "../support/http-server.ts";
import { valueOf } from "../support/read-exposition.ts";
import { scrapeMetrics, shownBy } from "../support/scrape-metrics.ts";
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
const shown = (name: string, labels?: Record<string, string>) => shownBy(metrics, name, labels);

test("a job is timed at each try; what throws is counted as retried, and what is no job at all as given up", async () => {
  const queue = queueNames.classify("counted", "bulk");
  let tries = 0;
  const consuming = consume(deps, {
    queue,
    payload: z.object({ name: z.string() }),
    concurrency: 1,
    retryAfterMs: () => 1,
    async handle() {
      if (++tries === 1) throw new Error("trouble");
    },
  });
  const jobs = [{ name: "one" }, { name: 7 }].map((payload, i) => ({
    id: `job-${i}`,
    payload: payload as never,
  }));
  await deps.queues.enqueueClassify("counted", "bulk", jobs);
  await expect.poll(() => shown("tresline_job_seconds_count", { queue }), SOON).toBe(2);
  await expect.poll(() => shown("tresline_jobs_failed_total", { queue, outcome: "given_up" }), SOON).toBe(1);
  expect(await shown("tresline_jobs_failed_total", { queue, outcome: "retried" })).toBe(1);
  await consuming.close();
});

test("each attempt to deliver a message is counted and timed, and each message once it has ended", async () => {
  const receiver = await startTestServer(({ path }) => ({
    status: path === "/ok" ? 200 : path === "/gone" ? 410 : 500,
  }));
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  const deliver = async (path: string, number: number) => {
    const url = receiver.url + path;
    const payload: DeliverPayload = {
      message_id: await messageId(newId("cls"), "classification.succeeded", url),
      tenant: "default",
      event_type: "classification.succeeded",
      url,
      body: "{}",
      created_at: new Date().toISOString(),
      sending: 0,
    };
    await deliverMessage(payload, { number }, { ...deps, safeFetch, slots: createReceiverSlots() });
  };
  expect(await shown("tresline_webhook_messages_total", { outcome: "failed" })).toBe(0);
  await deliver("/ok", 1);
  await expect(deliver("/broken", 1)).rejects.toThrow("500");
  await deliver("/broken", MAX_DELIVERY_ATTEMPTS);
  await deliver("/gone", 1);
  const scraped = await scrape();
  const attempts = (outcome: string) => valueOf(scraped, "tresline_webhook_attempts_total", { outcome });
  expect([attempts("delivered"), attempts("retry"), attempts("gone")]).toEqual([1, 2, 1]);
  const messages = (outcome: string) => valueOf(scraped, "tresline_webhook_messages_total", { outcome });
  expect([messages("delivered"), messages("failed"), messages("not_sent")]).toEqual([1, 2, 0]);
  expect(valueOf(scraped, "tresline_webhook_attempt_seconds_count")).toBe(4);
  await safeFetch.close();
  await receiver.stop();
});

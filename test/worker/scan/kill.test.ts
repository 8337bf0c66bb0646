import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ClassifyChunkPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { MAX_WAITING_CHUNKS, queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { countChunk } from "../../../shared/state/count-chunk.ts";
import { consume } from "../../../worker/consume.ts";
import type { Consuming } from "../../../worker/consume.ts";
import { batchRecord } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const TOTAL = 50_000;
const { id, ...record } = batchRecord({ model: "many" });
let deps: WorkerTestDeps;
let classifying: Consuming | undefined;
let worker: ChildProcess | undefined;
beforeAll(async () => {
  deps = await openWorkerDeps();
  const lines = Array.from({ length: TOTAL }, (_, index) => {
    const image = { type: "url", url: `https://images.example/${index}` };
    return `${JSON.stringify({ index, custom_id: `n-${index}`, image })}\n`;
  });
  await deps.storage.put(storageKeys.batchItems(id), lines.join(""), { contentType: "application/x-ndjson" });
  await putBatch(deps.redis, { id, ...record }, 0);
});
afterAll(async () => {
  worker?.kill("SIGKILL");
  await classifying?.close();
  await deps.stop();
});

const startWorker = async () => {
  worker = fork("test/support/scan-worker.ts", [deps.redisUrl, deps.storageUrl]);
  await once(worker, "message");
};
const listed = async () => (await getBatchState(deps.redis, id))?.cursor.items ?? 0;

async function killWorkerAfter(items: number): Promise<void> {
  await vi.waitFor(async () => expect(await listed()).toBeGreaterThan(items), {
    timeout: 60_000,
    interval: 1,
  });
  worker?.kill("SIGKILL");
  expect(await listed()).toBeLessThan(TOTAL);
}

test("50 000 items are listed although the worker that does it is killed: each comes out once, and never too many wait", async () => {
  const seen: string[] = [];
  let most = 0;
  classifying = consume(deps, {
    queue: queueNames.classify("many", "bulk"),
    payload: ClassifyChunkPayload,
    concurrency: 8,
    async handle({ chunk, items }) {
      most = Math.max(most, await deps.queues.countWaiting("many", "bulk"));
      const part = items.map(({ custom_id }) => `${custom_id}\n`).join("");
      const key = storageKeys.batchPart(id, chunk);
      if (await deps.storage.putIfAbsent(key, part, { contentType: "application/x-ndjson" }))
        seen.push(...items.map(({ custom_id }) => custom_id));
      const { isLast } = await countChunk(deps.redis, id, {
        number: chunk,
        counts: { succeeded: items.length, failed: 0 },
      });
      const payload = { kind: "finish", tenant: "default", batch_id: id } as const;
      if (isLast) await deps.queues.enqueueScan({ id: `${id}-finish`, payload });
    },
  });
  await startWorker();
  await deps.queues.enqueueScan({
    id: `${id}-enqueue`,
    payload: { kind: "enqueue", tenant: "default", batch_id: id },
  });
  await killWorkerAfter(20_000);
  await startWorker();
  await vi.waitFor(
    async () => expect((await getBatchState(deps.redis, id))?.batch.status).toBe("completed"),
    { timeout: 120_000, interval: 100 },
  );
  expect(seen).toHaveLength(TOTAL);
  expect(new Set(seen).size).toBe(TOTAL);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MAX_WAITING_CHUNKS);
  const batch = (await getBatchState(deps.redis, id))?.batch;
  expect(batch?.request_counts).toEqual({ total: TOTAL, succeeded: TOTAL, failed: 0, canceled: 0 });
  const results = new TextDecoder().decode(await deps.storage.get(storageKeys.batchResults(id)));
  expect(results).toBe(Array.from({ length: TOTAL }, (_, index) => `n-${index}\n`).join(""));
}, 180_000);

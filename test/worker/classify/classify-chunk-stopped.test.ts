import pLimit from "p-limit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId } from "../../../shared/new-id.ts";
import { endBatch, getBatchState } from "../../../shared/state/batches.ts";
import { requestCancel } from "../../../shared/state/stop-batch.ts";
import { classifyChunk } from "../../../worker/classify/classify-chunk.ts";
import { swan } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { batchInProgress } from "./batch-in-progress.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

const FIRST = { number: 1, crashes: 0, isRepeated: false };
const { chunkDeps, startedBatch, part, counts, finishJobs } = batchInProgress(() => deps);

test("a chunk whose batch was canceled ends without a look at its images, and each line tells which that was", async () => {
  const payload = await startedBatch(1, ["/a"]);
  const key = storageKeys.upload(batchItemId(payload.batch_id, 1));
  const items = [
    ...payload.items,
    { index: 1, custom_id: "sent", image: { type: "data" as const, key, media_type: "image/png", bytes: 7 } },
    { index: 2, custom_id: "line 3", fault: "Line 3 of the manifest is not UTF-8." },
  ];
  await requestCancel(deps.redis, payload.batch_id);
  const { deps: all, fetched } = chunkDeps({ "/a": [swan] });
  await classifyChunk({ ...payload, items }, FIRST, all);
  const lines = await part(payload);
  expect(lines.map(({ status, error, input }) => [status, error?.code, input])).toEqual([
    ["canceled", "canceled", { type: "url", url: "https://images.example/a" }],
    [
      "canceled",
      "canceled",
      { type: "data", media_type: "image/png", bytes: 7, upload_id: batchItemId(payload.batch_id, 1) },
    ],
    ["failed", "invalid_request", undefined],
  ]);
  expect(lines[0]?.error).toMatchObject({ retryable: true, detail: expect.stringContaining("canceled") });
  expect(fetched).toEqual([]);
  expect(await finishJobs(payload)).toHaveLength(1);
});

/** The parts of a worker whose fetches of `/slow` last until `end` is called, and the word that the first has begun. */
function slowDeps() {
  const { deps: all } = chunkDeps({ "/a": [swan] });
  const { safeFetch } = all.labelling.sources;
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const fetch: typeof safeFetch.fetch = async (url, ...rest) => {
    if (!url.endsWith("/slow")) return safeFetch.fetch(url, ...rest);
    begun.resolve();
    await ended.promise;
    return { status: 200, headers: {}, body: swan, truncated: false, url };
  };
  const sources = { ...all.labelling.sources, safeFetch: { ...safeFetch, fetch } };
  return {
    deps: { ...all, inHand: pLimit(2), labelling: { ...all.labelling, sources } },
    hasBegun: begun.promise,
    end: ended.resolve,
  };
}

test("a chunk in hand hears within some seconds that its batch is canceled: what has its labels by then keeps them", async () => {
  const payload = await startedBatch(1, ["/a", "/slow", "/slow", "/a"]);
  const { deps: slow, hasBegun, end } = slowDeps();
  const running = classifyChunk(payload, FIRST, slow);
  await hasBegun;
  await requestCancel(deps.redis, payload.batch_id);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  end();
  await running;
  expect((await part(payload)).map(({ status }) => status)).toEqual([
    "succeeded",
    "canceled",
    "canceled",
    "canceled",
  ]);
  expect(await counts(payload)).toEqual({ total: 4, succeeded: 1, failed: 0, canceled: 3 });
});

test("an item that waits for another try is canceled without it", async () => {
  const payload = await startedBatch(1, ["/down"]);
  const { deps: all, fetched } = chunkDeps({ "/down": [503] });
  const running = classifyChunk(payload, FIRST, all);
  await expect.poll(() => fetched).toHaveLength(1);
  await requestCancel(deps.redis, payload.batch_id);
  await running;
  expect((await part(payload)).map(({ status }) => status)).toEqual(["canceled"]);
  expect(fetched.length).toBeLessThan(3);
});

test("after the deadline of its batch a chunk ends as one that is canceled, with that reason", async () => {
  const payload = await startedBatch(1, ["/a"], 0, { deadline: new Date(Date.now() - 1).toISOString() });
  await classifyChunk(payload, FIRST, chunkDeps({ "/a": [swan] }).deps);
  const [line] = await part(payload);
  expect([line?.status, line?.error?.code]).toEqual(["canceled", "deadline_exceeded"]);
  expect((await getBatchState(deps.redis, payload.batch_id))?.stop).toBe("expired");
});

test.each(["before it begins", "while it runs"])(
  "a chunk whose batch fails %s leaves nothing behind",
  async (when) => {
    const payload = await startedBatch(2, ["/slow"]);
    const { deps: slow, hasBegun, end } = slowDeps();
    const fail = () => endBatch(deps.redis, payload.batch_id, "failed", new Date().toISOString());
    if (when === "before it begins") await fail();
    const running = classifyChunk(payload, FIRST, slow);
    if (when === "while it runs") {
      await hasBegun;
      await fail();
    }
    end();
    await running;
    expect(await deps.storage.get(storageKeys.batchPart(payload.batch_id, 0))).toBeUndefined();
    expect(await counts(payload)).toMatchObject({ succeeded: 0, canceled: 0 });
  },
);

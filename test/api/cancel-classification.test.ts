import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiDeps } from "../../api/deps.ts";
import { cancelClassification } from "../../api/services/cancel-classification.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { ClassifyImagePayload, DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { batchItemId, messageId, newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { runClassification } from "../../worker/classify/run-classification.ts";
import { killSwitch } from "../support/kill-switch.ts";
import { readQueue } from "../support/queue-reader.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";
import { HOOK, cancelCalls } from "./support/cancel-calls.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://images.example/swan" };
const LANE = queueNames.classify("figures", "interactive");
const FIRST = { number: 1, crashes: 0, isRepeated: false };

let api: TestApi;
let workerDeps: WorkerTestDeps;
beforeAll(async () => {
  api = await startTestApi();
  workerDeps = await openWorkerDeps();
});
afterAll(async () => {
  await workerDeps.stop();
  await api.close();
});

const { create, cancel, get, stored, jobOf, eventsOf, labelling } = cancelCalls(
  () => api,
  () => workerDeps,
);

test("one that waits is taken out of its queue, ends as canceled and is told so to its receiver", async () => {
  const id = await create();
  const response = await cancel(id);
  expect(response.status).toBe(200);
  const canceled = Classification.parse(await response.json());
  expect(canceled).toMatchObject({
    id,
    status: "canceled",
    predictions: null,
    error: { code: "canceled", detail: "It was canceled before it was labelled.", retryable: true },
    started_at: null,
    completed_at: expect.any(String),
  });
  expect(await api.deps.queues.findClassification(["figures"], id)).toBeUndefined();
  expect(await get(id)).toEqual(canceled);
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
});

test("whoever waits for it is told at once", async () => {
  const waiting = api.post(CLASSIFICATIONS, { image, metadata: { mark: "waits" } }, { prefer: "wait=30" });
  const find = async () => {
    const jobs = (await readQueue(api.redis.redis, LANE)).map(({ payload }) =>
      ClassifyImagePayload.parse(payload),
    );
    return jobs.find(({ metadata }) => metadata["mark"] === "waits")?.id;
  };
  await expect.poll(find).toBeDefined();
  await cancel((await find()) ?? "");
  const response = await waiting;
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: "canceled" });
});

test("canceling it again answers the same and tells nobody again", async () => {
  const id = await create();
  const first: unknown = await (await cancel(id)).json();
  const again = await cancel(id);
  expect(again.status).toBe(200);
  expect(await again.json()).toEqual(first);
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
});

test("one that has ended is refused with what it ended as", async () => {
  const id = await create();
  const { deps } = labelling();
  await runClassification(await jobOf(id), FIRST, deps);
  const response = await cancel(id);
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({
    code: "conflict",
    detail: `The classification ${id} has ended: it is succeeded, and there is nothing left to cancel.`,
  });
  expect(await get(id)).toMatchObject({ status: "succeeded" });
  expect(await eventsOf(id)).toEqual(["classification.succeeded"]);
});

test("one that there is not is not found, and the item of a batch is canceled with its batch", async () => {
  expect((await cancel(newId("cls"))).status).toBe(404);
  const batch = newId("bat");
  const response = await cancel(batchItemId(batch, 3));
  expect(response.status).toBe(404);
  expect(JSON.stringify(await response.json())).toContain(`item 3 of batch ${batch}`);
});

/** The parts of the API of which each call may be its last. */
function mortal(fatal: number, when: "before" | "after") {
  const kill = killSwitch(fatal, when);
  const deps: ApiDeps = {
    ...api.deps,
    storage: kill.lay(api.deps.storage, ["get", "putIfAbsent"]),
    queues: kill.lay(api.deps.queues, ["findClassification", "enqueueDeliver", "removeClassification"]),
    redis: kill.lay(api.deps.redis, ["publish"]),
  };
  return { deps, calls: kill.calls };
}

test.each(["before", "after"] as const)(
  "wherever the API dies, killed %s a step, there is one end, which everybody is told and which canceling again finds",
  async (when) => {
    let fatal = 1;
    for (; ; fatal++) {
      const id = await create();
      const job = await jobOf(id);
      const { deps, calls } = mortal(fatal, when);
      await cancelClassification(deps, "default", id).catch(() => {});
      if (calls() < fatal) break;
      const before = await stored(id);
      const isThere = (await api.deps.queues.findClassification(["figures"], id)) !== undefined;
      // Half of those that are still queued a worker takes first, the others are canceled again.
      if (isThere && fatal % 2 === 0) await runClassification(job, FIRST, labelling().deps);
      await cancel(id);
      const ended = await stored(id);
      expect(ended).toEqual(before ?? ended);
      expect(["canceled", "succeeded"]).toContain(ended?.status);
      expect(await messagesOf(id)).toEqual([await messageId(id, `classification.${ended?.status}`, HOOK)]);
    }
    expect(fatal).toBeGreaterThan(4);
  },
);

const messagesOf = async (id: string) => {
  const jobs = await readQueue(api.redis.redis, queueNames.deliver);
  return jobs
    .map(({ payload }) => DeliverPayload.parse(payload))
    .filter(({ body }) => body.includes(id))
    .map(({ message_id }) => message_id);
};

import { Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wantedPods } from "../../api/wanted-pods.ts";
import type { QueueLoad } from "../../api/wanted-pods.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { announceModel } from "../../shared/state/models.ts";
import { MAX_WAITING_CHUNKS, queueNames } from "../../shared/queue.ts";
import { imageJob } from "../support/labelling.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

interface Answer {
  models: {
    model: string;
    wanted: number;
    workers: number;
    queues: Record<
      "interactive" | "bulk" | "objects",
      { waiting: number; due: number; active: number; images: number; oldest_age_seconds: number }
    >;
  }[];
}

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

async function ask(model: string, query = "") {
  const response = await api.request(`/v1/scaler?model=${model}${query}`);
  expect(response.status).toBe(200);
  const { models } = (await response.json()) as Answer;
  const [found] = models;
  if (found === undefined) throw new Error(`Nothing is told of ${model}.`);
  return found;
}

/** A worker has served the model: only then images for it are accepted. */
const announce = (model: string) =>
  announceModel(api.redis.redis, {
    name: model,
    digest: "sha256:0",
    num_classes: 1,
    device: "cpu",
    served_at: new Date().toISOString(),
  });

async function enqueueImages(model: string, images: number): Promise<void> {
  await announce(model);
  await api.deps.queues.enqueueClassify(
    model,
    "interactive",
    Array.from({ length: images }, () => imageJob("/a", { model })).map((payload) => ({
      id: payload.id,
      payload,
    })),
  );
}

/** Chunks of a batch, as `scan` names them; what is in them does not matter here. */
async function enqueueChunks(model: string, chunks: number): Promise<void> {
  await announce(model);
  const batch = newId("bat");
  const payload = imageJob("/a", { model });
  await api.deps.queues.enqueueClassify(
    model,
    "bulk",
    Array.from({ length: chunks }, (_, chunk) => ({ id: `${batch}-${chunk}`, payload })),
  );
}

test("the default model is told of before a worker has ever served it, and needs no pod while there is nothing to do", async () => {
  const { models } = (await (await api.request("/v1/scaler")).json()) as Answer;
  const nothing = { paused: false, waiting: 0, due: 0, active: 0, images: 0, oldest_age_seconds: 0 };
  expect(models).toEqual([
    {
      model: "figures",
      wanted: 0,
      workers: 0,
      queues: { interactive: nothing, bulk: nothing, objects: nothing },
    },
  ]);
});

test("a model that nobody knows needs no pod, and leaves nothing behind in Redis", async () => {
  const before = await api.redis.redis.dbsize();
  expect(await ask("unheard-of")).toMatchObject({ model: "unheard-of", wanted: 0, workers: 0 });
  expect(await api.redis.redis.dbsize()).toBe(before);
});

test("one image that waits wakes up one pod", async () => {
  await enqueueImages("one", 1);
  expect(await ask("one")).toMatchObject({
    wanted: 1,
    workers: 0,
    queues: { interactive: { waiting: 1, images: 1 } },
  });
});

test("a chunk counts as the images in it", async () => {
  await enqueueChunks("chunks", 100);
  const { wanted, queues } = await ask("chunks", "&target_seconds=64&images_per_second_per_pod=10");
  expect(queues.bulk).toMatchObject({ waiting: 100, images: 6_400 });
  // 6 400 images in 0.9 × 64 s, less the moment for which they have waited.
  expect(wanted).toBe(12);
});

test("images and chunks in one lane count as what those that are next come to", async () => {
  const payload = imageJob("/a", { model: "mixed", priority: "bulk" });
  await enqueueChunks("mixed", 3);
  await api.deps.queues.enqueueClassify("mixed", "bulk", [{ id: payload.id, payload }]);
  expect((await ask("mixed")).queues.bulk).toMatchObject({ waiting: 4, images: 3 * 64 + 1 });
});

test("the older the oldest is, the more pods are wanted, of a quarter of the target at least", async () => {
  await enqueueImages("old", 60);
  const [id] = await api.redis.redis.lrange(
    `${REDIS_PREFIX}:${queueNames.classify("old", "interactive")}:wait`,
    -1,
    -1,
  );
  const job = `${REDIS_PREFIX}:${queueNames.classify("old", "interactive")}:${id}`;
  const wanted = async (ageS: number) => {
    await api.redis.redis.hset(job, { timestamp: Date.now() - ageS * 1_000 });
    const found = await ask("old", "&target_seconds=60&images_per_second_per_pod=1");
    expect(found.queues.interactive.oldest_age_seconds).toBeCloseTo(ageS, -1);
    return found.wanted;
  };
  expect(await wanted(23)).toBe(2);
  expect(await wanted(36)).toBe(4);
  expect(await wanted(500)).toBe(4);
});

test("what was put off counts once it is due, though no worker is there that would find it", async () => {
  await enqueueImages("later", 2);
  const name = queueNames.classify("later", "interactive");
  const worker = new Worker(name, null, { connection: api.redis.redis, prefix: REDIS_PREFIX });
  for (const delayMs of [700, 60_000]) {
    const job = await worker.getNextJob("a-token");
    await job?.moveToDelayed(Date.now() + delayMs, "a-token");
  }
  await worker.close();
  await expect
    .poll(async () => (await ask("later")).queues.interactive, { timeout: 5_000 })
    .toMatchObject({ waiting: 0, due: 1, active: 0, images: 1 });
  expect((await ask("later")).wanted).toBe(1);
});

test("what is in hand keeps its pod, and workers are counted", async () => {
  await enqueueImages("busy", 1);
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const open = () =>
    new Worker(queueNames.classify("busy", "interactive"), () => mayEnd, {
      connection: api.redis.redis,
      prefix: REDIS_PREFIX,
    });
  const workers = [open(), open()];
  await expect
    .poll(async () => ask("busy"))
    .toMatchObject({ wanted: 1, workers: 2, queues: { interactive: { waiting: 0, active: 1, images: 1 } } });
  end();
  await Promise.all(workers.map((each) => each.close()));
  await expect.poll(async () => ask("busy")).toMatchObject({ wanted: 0, workers: 0 });
});

const load = (more: Partial<QueueLoad>): QueueLoad => ({
  paused: false,
  waiting: 0,
  due: 0,
  active: 0,
  imagesPerJob: 1,
  oldestAgeS: 0,
  ...more,
});

test("a lane that batches have filled asks for twice the workers, and one that single images fill does not", () => {
  const goal = { targetS: 1_000, imagesPerSecond: 1_000 };
  const full = load({ waiting: MAX_WAITING_CHUNKS, imagesPerJob: 64 });
  expect(wantedPods({ queues: [full], workers: 7 }, goal)).toBe(14);
  expect(wantedPods({ queues: [full], workers: 0 }, goal)).toBe(1);
  expect(wantedPods({ queues: [{ ...full, waiting: MAX_WAITING_CHUNKS / 2 - 1 }], workers: 7 }, goal)).toBe(
    1,
  );
  expect(wantedPods({ queues: [{ ...full, imagesPerJob: 1 }], workers: 7 }, goal)).toBe(1);
});

test("a paused queue wants no pods but for what is in hand, however full and old it is", async () => {
  const goal = { targetS: 100, imagesPerSecond: 1 };
  const paused = load({
    paused: true,
    waiting: MAX_WAITING_CHUNKS,
    due: 5,
    imagesPerJob: 64,
    oldestAgeS: 500,
  });
  expect(wantedPods({ queues: [paused], workers: 7 }, goal)).toBe(0);
  expect(wantedPods({ queues: [{ ...paused, active: 1 }], workers: 7 }, goal)).toBe(1);
  await enqueueImages("paused", 3);
  await api.deps.queues.admin.pause(queueNames.classify("paused", "interactive"));
  const shown = { paused: true, waiting: 3, images: 3 };
  expect(await ask("paused")).toMatchObject({ wanted: 0, queues: { interactive: shown } });
});

test("each queue has a target of its own, and their pods are added up before they are rounded", () => {
  const goal = { targetS: 100, imagesPerSecond: 1 };
  const each = load({ waiting: 30, oldestAgeS: 50 });
  expect(wantedPods({ queues: [each], workers: 9 }, goal)).toBe(1);
  expect(wantedPods({ queues: [each, each], workers: 9 }, goal)).toBe(2);
  expect(wantedPods({ queues: [each, each, load({ waiting: 1_000 })], workers: 9 }, goal)).toBe(13);
});

test("only who runs the service is told, since the figures are of all tenants", async () => {
  const reader = await makeKey(api, { scopes: ["read"] });
  expect((await api.request("/v1/scaler", reader)).status).toBe(200);
  const stranger = await makeKey(api, { tenant: "stranger" });
  const response = await api.request("/v1/scaler", stranger);
  expect(response.status).toBe(403);
  expect(((await response.json()) as Problem).detail).toBe('This needs a key of the tenant "default".');
});

test.each(["target_seconds=0", "target_seconds=soon", "images_per_second_per_pod=-1", "model=A", "modell=a"])(
  "the query %s is refused",
  async (query) => {
    expect((await api.request(`/v1/scaler?${query}`)).status).toBe(400);
  },
);

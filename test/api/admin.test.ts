import { Queue, UnrecoverableError, Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import type { DeadLetter, DeadLettersDone, QueueJob, WorkQueue } from "../../shared/contracts/queue.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { openQueues } from "../../shared/queue.ts";
import { openRedis } from "../../shared/redis.ts";
import { imageJob } from "../support/labelling.ts";
import { makeKey } from "./support/make-key.ts";
import { queueWith } from "./support/queue-with.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const QUEUES = "/v1/admin/queues";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const connection = () => ({ connection: api.redis.redis, prefix: REDIS_PREFIX });

const die = ({ id = "" }: { id?: string | undefined }) =>
  Promise.reject(new UnrecoverableError(`${id} cannot be read.`));

/** Lets every job that waits in a queue die, for a reason that names it. */
async function kill(name: string): Promise<void> {
  const worker = new Worker(name, die, connection());
  await expect.poll(async () => (await look(name)).waiting).toBe(0);
  await worker.close();
}

async function ask<Answer>(path: string, init?: RequestInit): Promise<Answer> {
  const response = await api.request(path, init);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}
const look = (name: string) => ask<WorkQueue>(`${QUEUES}/${name}`);
const deadOf = async (name: string, query = "") =>
  ask<{ data: DeadLetter[]; next_cursor: string | null }>(`${QUEUES}/${name}/dead-letters${query}`);
const idsOf = (dead: { data: DeadLetter[] }) => dead.data.map(({ id }) => id);
async function end(name: string, verb: "redrive" | "discard", body: unknown): Promise<DeadLettersDone> {
  const response = await api.post(`${QUEUES}/${name}/${verb}`, body);
  expect(response.status).toBe(200);
  return (await response.json()) as DeadLettersDone;
}

test("every queue of every model is listed with what it holds, and those of no model", async () => {
  const { name } = await queueWith(api, "listed", 2);
  const { data } = await ask<{ data: WorkQueue[] }>(QUEUES);
  expect(data.find(({ id }) => id === name)).toMatchObject({
    object: "queue",
    model: "listed",
    paused: false,
    waiting: 2,
    active: 0,
    dead: 0,
  });
  expect(data.slice(-2)).toMatchObject([
    { id: "scan", model: null },
    { id: "deliver", model: null },
  ]);
  expect(data).toContainEqual(await look("classify.listed.objects"));
});

test("a paused queue gives its jobs to nobody, also when everything is started anew, until it is resumed", async () => {
  const { name } = await queueWith(api, "paused", 1);
  expect(await ask<WorkQueue>(`${QUEUES}/${name}/pause`, { method: "POST" })).toMatchObject({
    id: name,
    paused: true,
    waiting: 1,
  });
  const later = openRedis(api.redis.url, "wait", () => {});
  const taken: unknown[] = [];
  const take = ({ id }: { id?: string | undefined }) => Promise.resolve(taken.push(id));
  const worker = new Worker(name, take, { connection: later, prefix: REDIS_PREFIX });
  await worker.waitUntilReady();
  const queues = openQueues(later);
  const more = imageJob("/b", { model: "paused" });
  await queues.enqueueClassify("paused", "interactive", [{ id: more.id, payload: more }]);
  expect(await look(name)).toMatchObject({ paused: true, waiting: 2, active: 0 });
  expect(taken).toEqual([]);
  expect(await ask<WorkQueue>(`${QUEUES}/${name}/resume`, { method: "POST" })).toMatchObject({
    paused: false,
  });
  await expect.poll(() => taken).toHaveLength(2);
  await worker.close();
  await queues.close();
  later.disconnect();
});

test("jobs that were put off until later are told apart from those that are due", async () => {
  const { name } = await queueWith(api, "put-off", 2);
  const worker = new Worker(name, null, connection());
  for (const delayMs of [60_000, 200]) {
    const job = await worker.getNextJob("a-token");
    await job?.moveToDelayed(Date.now() + delayMs, "a-token");
  }
  await worker.close();
  await expect.poll(async () => look(name)).toMatchObject({ waiting: 0, due: 1, put_off: 1, active: 0 });
});

test("dead letters say what they are and why they died, and stay until they are redriven", async () => {
  const { name, ids } = await queueWith(api, "dead", 1);
  const [id = ""] = ids;
  await kill(name);
  expect(await look(name)).toMatchObject({ waiting: 0, dead: 1 });
  const { data } = await deadOf(name);
  expect(data).toEqual([
    {
      id,
      object: "dead_letter",
      queue: name,
      kind: "image",
      reason: `${id} cannot be read.`,
      attempts: 1,
      created_at: expect.any(String) as string,
      died_at: expect.any(String) as string,
    },
  ]);
  const queue = new Queue(name, connection());
  expect((await queue.getJob(id))?.opts.removeOnFail).toBe(false);
  await queue.close();
  expect(await end(name, "redrive", { ids: [id] })).toMatchObject({
    object: "redriven",
    queue: name,
    ids: [id],
    missing: [],
    left: 0,
  });
  expect(await look(name)).toMatchObject({ waiting: 1, dead: 0 });
  const tried: (readonly [unknown, number])[] = [];
  const worker = new Worker(name, async (job) => tried.push([job.id, job.attemptsMade]), connection());
  await expect.poll(() => tried).toEqual([[id, 0]]);
  await worker.close();
});

test("dead letters come in pages, the newest first, also while some of them are redriven", async () => {
  const { name, ids } = await queueWith(api, "pages", 5);
  await kill(name);
  const all = idsOf(await deadOf(name));
  expect(all.toSorted()).toEqual(ids.toSorted());
  const first = await deadOf(name, "?limit=2");
  expect(idsOf(first)).toEqual(all.slice(0, 2));
  const second = await deadOf(name, `?limit=2&cursor=${first.next_cursor}`);
  expect(idsOf(second)).toEqual(all.slice(2, 4));
  await end(name, "redrive", { ids: all.slice(2, 4) });
  const rest = idsOf(await deadOf(name, `?cursor=${second.next_cursor}`));
  expect(rest).toContain(all[4]);
  expect((await api.request(`${QUEUES}/${name}/dead-letters?cursor=soon`)).status).toBe(400);
});

test("all are redriven that died before the first request, and none of those that die anew", async () => {
  const { name, ids } = await queueWith(api, "all", 3);
  await kill(name);
  const { before, ...first } = await end(name, "redrive", { all: true });
  expect(first.ids.toSorted()).toEqual(ids.toSorted());
  await kill(name);
  expect(await end(name, "redrive", { all: true, before })).toMatchObject({ ids: [], left: 0, before });
  expect(await look(name)).toMatchObject({ waiting: 0, dead: 3 });
});

test("a dead letter that is discarded is gone, and what is no dead letter is left alone and named", async () => {
  const { name, ids } = await queueWith(api, "discarded", 1);
  const [dead = ""] = ids;
  await kill(name);
  const { ids: waiting } = await queueWith(api, "discarded", 1);
  const asked = [dead, ...waiting, "cls_unknown"];
  for (const verb of ["discard", "redrive"] as const) {
    const { ids: done, missing } = await end(name, verb, { ids: asked });
    expect([done, missing]).toEqual(verb === "discard" ? [[dead], asked.slice(1)] : [[], asked]);
  }
  expect(await look(name)).toMatchObject({ waiting: 1, dead: 0 });
  expect((await api.request(`${QUEUES}/${name}/jobs/${dead}`)).status).toBe(404);
});

test("one job is shown whole, whatever its state", async () => {
  const { name, ids } = await queueWith(api, "shown", 1);
  const [id = ""] = ids;
  const shown = () => ask<QueueJob>(`${QUEUES}/${name}/jobs/${id}`);
  expect(await shown()).toMatchObject({
    id,
    object: "job",
    queue: name,
    state: "waiting",
    attempts: 0,
    crashes: 0,
    reason: null,
    taken_at: null,
    died_at: null,
    payload: { kind: "image", id, model: "shown" },
  });
  await kill(name);
  const { taken_at, died_at, ...dead } = await shown();
  expect(dead).toMatchObject({ state: "dead", attempts: 1, reason: `${id} cannot be read.` });
  expect([taken_at, died_at]).toEqual([expect.any(String), expect.any(String)]);
});

test.each([
  ["GET", "classify.nobody.bulk", "There is no queue classify.nobody.bulk here."],
  ["POST", "classify.nobody.bulk/pause", "There is no queue classify.nobody.bulk here."],
  ["POST", "classify.nobody.bulk/resume", "There is no queue classify.nobody.bulk here."],
  ["GET", "classify.nobody.bulk/dead-letters", "There is no queue classify.nobody.bulk here."],
  ["GET", "scan/jobs/bat_1", "scan has no job bat_1: it may have ended, which removes it."],
])("%s %s is answered 404", async (method, path, detail) => {
  const response = await api.request(`${QUEUES}/${path}`, { method });
  expect(response.status).toBe(404);
  expect(((await response.json()) as Problem).detail).toContain(detail);
});

test.each([{}, { ids: [] }, { all: false }, { ids: ["a:b"] }, { all: true, ids: ["a"] }])(
  "the selection %j is refused",
  async (body) => {
    expect((await api.post(`${QUEUES}/scan/redrive`, body)).status).toBe(400);
  },
);

test("only admin keys of who runs the service are let in", async () => {
  const { headers: ofReader } = await makeKey(api, { scopes: ["read", "classify"] });
  const { headers: ofStranger } = await makeKey(api, { tenant: "stranger" });
  for (const headers of [ofReader, ofStranger]) {
    expect((await api.request(QUEUES, { headers })).status).toBe(403);
    expect((await api.request(`${QUEUES}/scan/pause`, { method: "POST", headers })).status).toBe(403);
  }
  expect((await look("scan")).paused).toBe(false);
});

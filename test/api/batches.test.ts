import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { batchItemId, newId } from "../../shared/new-id.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { readFigure, toDataUrl } from "./support/figures.ts";
import { PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const BAR_CHART = readFigure("bar_chart_01.png");
/** Less than an image's download may last. */
const TIMEOUT = { timeout: 15_000 };

/** Without a worker, so that nothing moves. */
let idle: TestApi;
let api: TestApi;
/** Answers with a bar chart, at `/later` once it is told that it may. */
let images: TestServer;
const gate = Promise.withResolvers<void>();
beforeAll(async () => {
  images = await startTestServer(async ({ path }) => {
    if (path === "/later") await gate.promise;
    return { status: 200, body: BAR_CHART };
  });
  idle = await startTestApi();
  api = await startTestApi();
  await api.startWorker();
});
afterAll(async () => {
  await api.close();
  await idle.close();
  await images.stop();
});

const data = (bytes = BAR_CHART) => ({ data: toDataUrl(bytes) });
const url = (path: string) => ({ url: images.url + path });
const itemsOf = (sent: Record<string, object>) =>
  Object.entries(sent).map(([custom_id, image]) => ({ custom_id, image }));
async function create(on: TestApi, sent: Record<string, object>, headers?: Record<string, string>) {
  const response = await on.post("/v1/batches", { items: itemsOf(sent), top_k: 1 }, headers);
  return Batch.parse(await response.json());
}
const get = async (on: TestApi, id: string) =>
  Batch.parse(await (await on.request(`/v1/batches/${id}`)).json());
const send = (on: TestApi, method: string, path: string) => on.request(`/v1/batches/${path}`, { method });
const problemOf = async (response: Response) => (await response.json()) as Problem;
const ended = async (id: string, status: Batch["status"]) => {
  await expect.poll(async () => (await get(api, id)).status, TIMEOUT).toBe(status);
  return get(api, id);
};
const linesOf = async (id: string) => {
  const text = await (await api.request(`/v1/batches/${id}/results`)).text();
  return text.split("\n").flatMap((line) => (line === "" ? [] : [BatchResult.parse(JSON.parse(line))]));
};
const stored = async (prefix: string) => {
  const keys: string[] = [];
  for await (const { key } of api.deps.storage.list(prefix)) keys.push(key);
  return keys;
};

test("a batch that is canceled says so at once, however often it is asked, and may not yet be retried or deleted", async () => {
  const { id } = await create(idle, { a: data(), b: data() });
  for (const _ of [1, 2]) {
    const response = await send(idle, "POST", `${id}/cancel`);
    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toBe(`${PUBLIC_URL}/v1/batches/${id}`);
    expect(await response.json()).toMatchObject({
      status: "canceling",
      canceling_at: expect.any(String),
      request_counts: { total: 2, canceled: 2 },
      urls: {
        cancel: `${PUBLIC_URL}/v1/batches/${id}/cancel`,
        retry: `${PUBLIC_URL}/v1/batches/${id}/retry`,
      },
    });
  }
  for (const [method, path, wish] of [
    ["POST", `${id}/retry`, "retried"],
    ["DELETE", id, "deleted"],
  ] as const) {
    const problem = await problemOf(await send(idle, method, path));
    expect(problem).toMatchObject({
      code: "conflict",
      detail: `The batch is canceling: it can be ${wish} once it has ended. Cancel it to end it now.`,
    });
  }
});

test("what a batch left undone is labelled by its retry, and deleting it removes all that is stored of it", async () => {
  const bad = data(Buffer.from("no image"));
  const { id } = await create(api, { good: data(), bad, later: url("/later"), again: url("/later") });
  await expect.poll(() => images.received.length, TIMEOUT).toBe(2);
  expect((await send(api, "POST", `${id}/cancel`)).status).toBe(202);
  expect(await ended(id, "canceled")).toMatchObject({
    progress: 1,
    eta_seconds: null,
    canceled_at: expect.any(String),
    completed_at: null,
    request_counts: { total: 4, succeeded: 1, failed: 1, canceled: 2 },
  });
  expect((await linesOf(id)).map(({ status, input }) => [status, input?.type])).toEqual([
    ["succeeded", undefined],
    ["failed", "data"],
    ["canceled", "url"],
    ["canceled", "url"],
  ]);

  gate.resolve();
  await api.redis.redis.del(redisKeys.batch(id));
  const response = await send(api, "POST", `${id}/retry`);
  expect(response.status).toBe(202);
  const retry = Batch.parse(await response.json());
  expect(response.headers.get("location")).toBe(`${PUBLIC_URL}/v1/batches/${retry.id}`);
  expect(retry).toMatchObject({ retry_of: id, status: "validating" });
  expect(await ended(retry.id, "completed")).toMatchObject({
    request_counts: { total: 3, succeeded: 2, failed: 1, canceled: 0 },
  });
  const labels = (await linesOf(retry.id)).map(({ custom_id, predictions, error }) => [
    custom_id,
    predictions?.[0]?.label ?? error?.code,
  ]);
  expect(labels).toEqual([
    ["bad", "invalid_image"],
    ["later", "bar_chart"],
    ["again", "bar_chart"],
  ]);

  expect(await stored(storageKeys.batchUploads(id))).toHaveLength(2);
  expect((await send(api, "DELETE", id)).status).toBe(204);
  for (const [method, path] of [
    ["GET", id],
    ["GET", `${id}/results`],
    ["POST", `${id}/cancel`],
    ["POST", `${id}/retry`],
    ["DELETE", id],
  ] as const)
    expect((await send(api, method, path)).status).toBe(404);
  const left = async () => [
    ...(await stored(storageKeys.batchFolder(id))),
    ...(await stored(storageKeys.batchUploads(id))),
  ];
  await expect.poll(left, TIMEOUT).toEqual([]);
  expect((await linesOf(retry.id)).length, "its retry is another batch").toBe(3);
});

test("a retry of a retry finds an image that came with the first request", async () => {
  const { id } = await create(api, { bad: data(Buffer.from("no image")) });
  await ended(id, "completed");
  let latest = id;
  for (const _ of [1, 2]) {
    latest = Batch.parse(await (await send(api, "POST", `${latest}/retry`)).json()).id;
    await ended(latest, "completed");
  }
  const [line, ...others] = await linesOf(latest);
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    custom_id: "bad",
    error: { code: "invalid_image" },
    input: { type: "data", upload_id: batchItemId(id, 0) },
  });
});

test("a batch that has not ended by its deadline expires, with what it has by then", async () => {
  const slow = await startTestServer(() => "hang");
  const sent = { good: data(), slow: { url: `${slow.url}/slow` } };
  const { id, deadline, created_at } = await create(api, sent, { "cancel-after": "2s" });
  expect(Date.parse(deadline ?? "") - Date.parse(created_at)).toBe(2_000);
  expect(await ended(id, "expired")).toMatchObject({
    expired_at: expect.any(String),
    canceled_at: null,
    request_counts: { total: 2, succeeded: 1, failed: 0, canceled: 1 },
  });
  expect((await linesOf(id)).map(({ error }) => error?.code)).toEqual([undefined, "deadline_exceeded"]);
  await slow.stop();
});

test("canceled before anything of it is listed, a batch has a canceled line for each item, and its retry labels all of it", async () => {
  const { id } = await create(idle, { a: data(), b: data() });
  await send(idle, "POST", `${id}/cancel`);
  await idle.startWorker();
  const find = async () => get(idle, id);
  await expect.poll(async () => (await find()).status, TIMEOUT).toBe("canceled");
  const lines = (await (await idle.request(`/v1/batches/${id}/results`)).text()).trimEnd().split("\n");
  expect(lines.map((line) => BatchResult.parse(JSON.parse(line)))).toMatchObject([
    { custom_id: "a", status: "canceled", error: { code: "canceled" } },
    { custom_id: "b", status: "canceled" },
  ]);
  const retry = Batch.parse(await (await send(idle, "POST", `${id}/retry`)).json());
  await expect.poll(async () => (await get(idle, retry.id)).status, TIMEOUT).toBe("completed");
  expect((await get(idle, retry.id)).request_counts).toMatchObject({ total: 2, succeeded: 2 });
});

test("a batch that has completed can be neither canceled nor, without a failure, retried", async () => {
  const { id } = await create(api, { a: data() });
  await ended(id, "completed");
  expect(await problemOf(await send(api, "POST", `${id}/cancel`))).toMatchObject({
    code: "conflict",
    detail: "All items of the batch have ended, and it is completed: there is nothing left to cancel.",
  });
  expect(await problemOf(await send(api, "POST", `${id}/retry`))).toMatchObject({
    code: "conflict",
    detail: "No item of the batch failed or was canceled: there is nothing to retry.",
  });
});

test("a batch that nobody knows can be neither canceled, retried nor deleted, and a deadline must be a time", async () => {
  const id = newId("bat");
  for (const [method, path] of [
    ["POST", `${id}/cancel`],
    ["POST", `${id}/retry`],
    ["DELETE", id],
  ] as const)
    expect(await problemOf(await send(api, method, path))).toMatchObject({
      status: 404,
      detail: `There is no batch ${id}.`,
    });
  const body = { items: itemsOf({ a: data() }) };
  const response = await api.post("/v1/batches", body, { "cancel-after": "soon" });
  expect(await problemOf(response)).toMatchObject({ status: 400, errors: [{ header: "cancel-after" }] });
});

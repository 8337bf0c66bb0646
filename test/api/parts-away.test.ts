import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { queueNames } from "../../shared/queue.ts";
import { readQueue } from "../support/queue-reader.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };
/** Milliseconds within which a client must have been answered. */
const BOUND_MS = 10_000;

let api: TestApi;
let isStopped = false;
let again: ChildProcess | undefined;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  if (again?.kill("SIGTERM")) await once(again, "exit");
});

test("with Redis and storage there, the API is ready", async () => {
  const response = await api.request("/readyz");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ready", checks: { redis: "ok", storage: "ok" } });
});

test("with storage away, the API is not ready and refuses an image without a word of where storage is", async () => {
  rmSync(api.directory, { recursive: true, force: true });
  writeFileSync(api.directory, "a file where the directory was");
  try {
    const ready = await api.request("/readyz");
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: "not_ready", checks: { redis: "ok", storage: "away" } });
    const response = await api.request(CLASSIFICATIONS, {
      method: "POST",
      headers: { "content-type": "image/png" },
      body: "x",
    });
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({ status: 500, code: "internal" });
    expect(problem.detail).toMatch(/our side.*request_id/);
    expect(await api.redis.redis.keys("*:classification:*")).toEqual([]);
    const logged = api.logLines.find((line) => line.includes(problem.request_id) && line.includes('"err"'));
    expect(logged, "the reason is in the log").toContain(api.directory);
  } finally {
    rmSync(api.directory, { force: true });
    mkdirSync(api.directory);
  }
});

test("with storage out of reach, an image is refused for now", async () => {
  const [refused] = (await once(connect(1, "127.0.0.1"), "error")) as [Error];
  const storage = { ...api.deps.storage, put: () => Promise.reject(refused) };
  const response = await createApp({ ...api.deps, storage }).request(CLASSIFICATIONS, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "image/png" },
    body: "x",
  });
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ status: 503, code: "overloaded" });
  expect(JSON.stringify(problem)).not.toContain("127.0.0.1");
  const logged = api.logLines.find((line) => line.includes(problem.request_id) && line.includes('"err"'));
  expect(logged, "the reason is in the log").toContain("ECONNREFUSED");
});

test("with S3 having too much to do, an image is refused for now", async () => {
  const slowDown = Object.assign(new Error("Please reduce your request rate."), { name: "SlowDown" });
  const storage = { ...api.deps.storage, put: () => Promise.reject(slowDown) };
  const response = await createApp({ ...api.deps, storage }).request(CLASSIFICATIONS, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "image/png" },
    body: "x",
  });
  expect(await response.json()).toMatchObject({ status: 503, code: "overloaded" });
});

test("with the memory of Redis used up, an image is refused for now, and accepted once there is room", async () => {
  const { redis } = api.redis;
  await redis.config("SET", "maxmemory", 1);
  try {
    const response = await api.post(CLASSIFICATIONS, { image });
    expect(await response.json()).toMatchObject({ status: 503, code: "overloaded" });
    expect(response.headers.get("retry-after")).toBe("5");
  } finally {
    await redis.config("SET", "maxmemory", 0);
  }
  const accepted = await api.post(CLASSIFICATIONS, { image });
  expect(accepted.status).toBe(202);
  const { id } = Classification.parse(await accepted.json());
  expect((await api.post(`${CLASSIFICATIONS}/${id}/cancel`, "")).status).toBe(200);
});

test("when Redis goes while a request waits, what was accepted is answered as accepted", async () => {
  const answer = api.post(CLASSIFICATIONS, { image }, { prefer: "wait=2" });
  await expect
    .poll(async () => (await api.redis.redis.keys("*:classify.figures.interactive:wait")).length)
    .toBe(1);
  await api.redis.stop();
  isStopped = true;
  const response = await answer;
  expect(response.status).toBe(202);
  expect(Classification.parse(await response.json()).status).toBe("queued");
});

const REQUESTS: [method: string, path: string, body?: string][] = [
  ["POST", CLASSIFICATIONS, JSON.stringify({ image })],
  ["POST", CLASSIFICATIONS, JSON.stringify({ image, model: "cifar10" })],
  ["POST", "/v1/batches", JSON.stringify({ items: [{ custom_id: "a", image }] })],
  ["GET", "/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z"],
  ["GET", "/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z"],
  ["GET", "/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z/results"],
  ["GET", "/v1/webhook-secret"],
];

test.concurrent.each(REQUESTS)(
  "without Redis %s %s is answered with 503 soon",
  async (method, path, body) => {
    expect(isStopped).toBe(true);
    const began = performance.now();
    const headers = { "content-type": "application/json", prefer: "wait=30" };
    const response = await api.request(path, { method, headers, ...(body !== undefined && { body }) });
    expect(performance.now() - began).toBeLessThan(BOUND_MS);
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({ status: 503, code: "overloaded" });
    expect(problem.detail).toMatch(/cannot be reached.*Try again/);
    expect(response.headers.get("retry-after")).toBe("5");
  },
);

test("without Redis the process runs but is not ready", async () => {
  expect((await api.request("/healthz")).status).toBe(200);
  const response = await api.request("/readyz");
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: "not_ready", checks: { redis: "away", storage: "ok" } });
});

test("without Redis the key is still asked for and the request still checked", async () => {
  expect((await api.app.request(CLASSIFICATIONS, { method: "POST" })).status).toBe(401);
  expect((await api.post(CLASSIFICATIONS, {})).status).toBe(400);
});

test("when Redis is back, nothing of what was refused is there, and images are accepted again", async () => {
  const { port, password } = new URL(api.redis.url);
  const settings = [
    "--bind",
    "127.0.0.1",
    "--port",
    port,
    "--requirepass",
    password,
    "--save",
    "",
    "--dir",
    tmpdir(),
  ];
  again = spawn("redis-server", settings, { stdio: "ignore" });
  await expect.poll(async () => (await api.app.request("/readyz")).status, { timeout: 15_000 }).toBe(200);
  expect(await api.deps.redis.keys("*")).toEqual([]);
  const response = await api.post(CLASSIFICATIONS, { image }, { prefer: "wait=1" });
  expect(response.status).toBe(202);
  expect(await readQueue(api.deps.redis, queueNames.classify("figures", "interactive"))).toHaveLength(1);
});

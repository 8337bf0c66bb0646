import { once } from "node:events";
import { readdirSync } from "node:fs";
import { Agent, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeManifest } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { storageKeys } from "../../shared/keys.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import { batchRecord } from "../support/labelling.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";
import { API_KEY, SECRET, apiProcesses, authorization, submit } from "./support/api-processes.ts";

let redis: TestRedis;
const { directory, start, waits, endAll } = apiProcesses(() => redis);

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await endAll();
  await redis.stop();
});

test("it tells its parent where it listens, and serves there over HTTP", async () => {
  const { url } = await start();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "ok" });
  const response = await submit(url);
  expect(response.status).toBe(202);
  const { id, urls } = Classification.parse(await response.json());
  expect(urls.get).toBe(`${url}/v1/classifications/${id}`);
  const again = await fetch(urls.get, { headers: { authorization } });
  expect(await again.json()).toMatchObject({ id, status: "queued" });
});

test("a client that sends too much is answered, whether it says so at first or not", async () => {
  const { url } = await start({ MAX_BODY_BYTES: "100000" });
  const headers = { authorization, "content-type": "image/png" };
  const path = `${url}/v1/classifications`;
  const bytes = new Uint8Array(5_000_000);
  const bodies = [bytes, new Blob([bytes]).stream()];
  for (const body of bodies) {
    const response = await fetch(path, { method: "POST", headers, body, duplex: "half" });
    expect((await response.json()) as Problem).toMatchObject({ status: 413, code: "image_too_large" });
  }
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("a client that sends too much has its answer at once, and also when it sends all of it before it reads", async () => {
  const { url } = await start({ MAX_BODY_BYTES: "100000" });
  const { hostname, port } = new URL(url);
  const line = `POST /v1/classifications HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: image/png\r\n`;
  const begin = (head: string) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(line + head);
    return socket;
  };
  const length = "content-length: 1000000\r\n\r\n";
  const oneChunk = "transfer-encoding: chunked\r\n\r\nf4240\r\n";
  const refusal = /^HTTP\/1\.1 413 .*image_too_large/s;

  const early = begin(length);
  let answer = "";
  early.on("data", (data: Buffer) => (answer += data.toString()));
  await expect.poll(() => answer).toMatch(refusal);
  early.destroy();

  for (const head of [length, oneChunk]) {
    const socket = begin(head);
    for (let sent = 0; sent < 1_000_000; sent += 50_000) {
      socket.write(new Uint8Array(50_000));
      await sleep(10);
    }
    if (head === oneChunk) socket.write("\r\n0\r\n\r\n");
    expect(await text(socket)).toMatch(refusal);
  }
});

test("a connection on which too much was sent is told to end, and the client's next request is answered", async () => {
  const { url } = await start({ MAX_BODY_BYTES: "100000" });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (path: string, options: RequestOptions, body?: Uint8Array) => {
    const asked = request(`${url}${path}`, { agent, ...options });
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    await once(answer.resume(), "end");
    return answer;
  };
  const headers = { authorization, "content-type": "image/png" };
  for (let round = 0; round < 3; round++) {
    const refused = await ask("/v1/classifications", { method: "POST", headers }, new Uint8Array(200_000));
    expect([refused.statusCode, refused.headers.connection]).toEqual([413, "close"]);
    const next = await ask("/healthz", {});
    expect([next.statusCode, next.headers.connection]).toEqual([200, "keep-alive"]);
  }
  agent.destroy();
});

test("what it logs is JSON lines that have neither the key nor the query of an address", async () => {
  const { url, child, exited, said } = await start({ LOG_LEVEL: "debug" });
  await submit(url);
  await submit(url, { authorization: "Bearer some-other-key" });
  await fetch(`${url}/v1/classifications?api_key=${API_KEY}`, { headers: { authorization } });
  child.kill("SIGTERM");
  await exited;
  const { stdout, stderr } = said;
  expect(stderr).toBe("");
  const lines = stdout.trimEnd().split("\n");
  const requests = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === "request");
  expect(requests.map(({ http_status }) => http_status)).toEqual([202, 401, 400]);
  expect(requests[0]).toMatchObject({
    level: "info",
    service: "api",
    method: "POST",
    route: "/v1/classifications",
    path: "/v1/classifications",
    id: expect.stringMatching(/^cls_/),
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  for (const secret of [API_KEY, SECRET, "some-other-key", new URL(redis.url).password])
    expect(stdout).not.toContain(secret);
});

test("a client that goes while it waits is not waited for any longer", async () => {
  const { url, said } = await start();
  const client = new AbortController();
  const body = JSON.stringify({ image: { url: "https://example.com/cat.jpg" } });
  const headers = { authorization, "content-type": "application/json", prefer: "wait=50" };
  const answer = fetch(`${url}/v1/classifications`, { method: "POST", headers, body, signal: client.signal });
  await expect.poll(waits).toHaveLength(1);
  client.abort();
  await expect(answer).rejects.toThrow(/abort/);
  await expect.poll(() => said.stdout).toContain('"path":"/v1/classifications"');
});

test("clients that go in the middle of their results leave no file open", async () => {
  const record = batchRecord();
  const { id } = record;
  const storage = await openStorage(`file:${directory}`);
  const batch: Batch = {
    id,
    object: "batch",
    status: "completed",
    model: "figures",
    request_counts: { total: 1, succeeded: 1, failed: 0, canceled: 0 },
    progress: 1,
    eta_seconds: null,
    metadata: {},
    created_at: "2026-01-01T00:00:00Z",
    in_progress_at: null,
    finalizing_at: null,
    completed_at: null,
    failed_at: null,
    canceling_at: null,
    canceled_at: null,
    expired_at: null,
    deadline: null,
    expires_at: null,
    retry_of: null,
    output_formats: [],
    error: null,
    urls: { get: "", results: "", events: "", cancel: "", retry: "" },
  };
  await writeManifest(storage, { batch, record, skipped: 0, rest: null, report: null });
  const contentType = "application/x-ndjson";
  await storage.put(storageKeys.batchResults(id), "{}\n".repeat(5_000_000), { contentType });
  const { url, child } = await start();
  const openFiles = () => readdirSync(`/proc/${child.pid}/fd`).length;
  const before = openFiles();
  for (let times = 0; times < 20; times++) {
    const response = await fetch(`${url}/v1/batches/${id}/results`, { headers: { authorization } });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  }
  await expect.poll(openFiles, { timeout: 5_000 }).toBeLessThan(before + 10);
});

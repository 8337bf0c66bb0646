import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

const API_KEY = "a-key-of-the-node-test";
const SECRET = "signature-of-a-presigned-url";
const ENTRY = new URL("../../api/node.ts", import.meta.url).pathname;
const authorization = `Bearer ${API_KEY}`;

let redis: TestRedis;
let directory: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  redis = await startTestRedis();
  directory = mkdtempSync(join(tmpdir(), "tresline-node-"));
});
afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Running {
  child: ChildProcess;
  exited: Promise<number | null>;
  /** All that it has written so far. */
  said: { stdout: string; stderr: string };
}

/** Runs the entry with this environment and no other. */
function run(env: Record<string, string>): Running {
  const child = spawn(process.execPath, [ENTRY], {
    env: { REDIS_URL: redis.url, STORAGE_URL: `file:${directory}`, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  children.add(child);
  const said = { stdout: "", stderr: "" };
  const closed = (["stdout", "stderr"] as const).map((name) => {
    const stream = child[name];
    stream?.on("data", (data: Buffer) => (said[name] += data.toString()));
    return stream === null ? undefined : once(stream, "close");
  });
  const exited = once(child, "exit").then(async ([code]) => {
    for (const each of closed) await each;
    return code as number | null;
  });
  return { child, exited, said };
}

async function start(env: Record<string, string> = {}): Promise<Running & { url: string }> {
  const running = run({ API_KEY, ...env });
  const [{ url }] = (await once(running.child, "message")) as [{ url: string }];
  return { ...running, url };
}

/** The channels on which requests wait for their results. */
const waits = async () => (await redis.redis.pubsub("CHANNELS", "*finished*")) as string[];

const submit = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/classifications`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body: JSON.stringify({ image: { url: `https://example.com/cat.jpg?token=${SECRET}` } }),
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

test.each(["SIGTERM", "SIGINT"] as const)(
  "at %s a request that waits is answered, then the process ends",
  async (signal) => {
    const { url, child, exited } = await start();
    const answer = submit(url, { prefer: "wait=50" });
    await expect.poll(waits).toHaveLength(1);
    const began = performance.now();
    child.kill(signal);
    const response = await answer;
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "queued" });
    expect(await exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  },
);

test("at SIGTERM a stream of events ends with what there is, then the process ends", async () => {
  const { url, child, exited } = await start();
  const { urls } = Classification.parse(await (await submit(url)).json());
  const stream = await fetch(urls.events, { headers: { authorization } });
  const [reader] = [stream.body?.getReader()];
  const first = new TextDecoder().decode((await reader?.read())?.value);
  expect(first).toContain('"status":"queued"');
  child.kill("SIGTERM");
  expect(await reader?.read()).toEqual({ done: true, value: undefined });
  expect(await exited).toBe(0);
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

test("it ends with its parent", async () => {
  const { child, exited } = await start();
  child.disconnect();
  expect(await exited).toBe(0);
});

test("it starts while Redis is away and says that it is not ready", async () => {
  const { url } = await start({ REDIS_URL: "redis://127.0.0.1:1" });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
});

const { port: takenPort, close: freePort } = await takePort();
afterAll(freePort);

const FAULTS: [of: string, env: Record<string, string>, line: string][] = [
  ["no API key", {}, "API_KEY is not set and is needed."],
  ["an empty API key", { API_KEY: "" }, "API_KEY is not set and is needed."],
  [
    "a short API key",
    { API_KEY: "short" },
    "API_KEY must have at least 16 characters, none of them a space.",
  ],
  [
    "an API key that no header can carry",
    { API_KEY: "sixteen and more letters" },
    "API_KEY must have at least 16 characters, none of them a space.",
  ],
  [
    "a taken port",
    { API_KEY, PORT: String(takenPort) },
    `Port ${takenPort} of 127.0.0.1 is taken; set PORT to another.`,
  ],
  [
    "an address of another machine",
    { API_KEY, HOST: "192.0.2.1" },
    "192.0.2.1 is not an address of this machine; set HOST to one that is.",
  ],
  [
    "a port that is none",
    { API_KEY, PORT: "http" },
    'PORT must be a whole number from 0 to 65535 (it is "http").',
  ],
  [
    "a public URL that is none",
    { API_KEY, PUBLIC_URL: "tresline.example" },
    "PUBLIC_URL must be an http or https URL.",
  ],
];

test.concurrent("a client that has stopped sending does not keep the process from ending", async () => {
  const { url, child, exited } = await start();
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `POST /v1/classifications HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nbeginning`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  socket.destroy();
}, 60_000);

test.concurrent.each(FAULTS)(
  "with %s it says so in one line and ends with code 2",
  async (_of, env, line) => {
    const { exited, said } = run(env);
    expect(await exited).toBe(2);
    expect(said.stderr).toBe(`${line}\n`);
  },
  60_000,
);

test("several faults of its environment are told at once", async () => {
  const { exited, said } = run({ PORT: "70000", LOG_LEVEL: "loud" });
  expect(await exited).toBe(2);
  expect(said.stderr.split("\n").map((line) => line.split(" ")[0])).toEqual([
    "LOG_LEVEL",
    "PORT",
    "API_KEY",
    "",
  ]);
});

async function takePort(): Promise<{ port: number; close: () => void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

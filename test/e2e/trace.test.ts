import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChild } from "../../infra/local/child.ts";
import type { Child } from "../../infra/local/child.ts";
import { newTraceparent, readTraceparent } from "../../shared/traceparent.ts";
import { sample } from "../support/figures.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { startOtlpCollector } from "../support/otlp-collector.ts";
import type { CollectedSpan, OtlpCollector } from "../support/otlp-collector.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

const API_KEY = "key-of-the-trace-tests";
const PATIENCE = { timeout: 60_000, interval: 100 };

const directory = mkdtempSync(join(tmpdir(), "tresline-trace-"));
const logFile = join(directory, "log");
const log = createWriteStream(logFile, { flags: "a" });
const children: Child[] = [];
let redis: TestRedis;
let collector: OtlpCollector;
/** Serves a picture, and takes callbacks at `/hook/NAME`. */
let server: TestServer;
let url: string;

beforeAll(async () => {
  redis = await startTestRedis();
  collector = await startOtlpCollector();
  server = await startTestServer(({ path }) =>
    path.startsWith("/hook/") ? { status: 204 } : { status: 200, body: sample("bar_chart_06.png") },
  );
  const env = {
    REDIS_URL: redis.url,
    STORAGE_URL: `file:${join(directory, "storage")}`,
    MODELS_DIR: join(directory, "models"),
    ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32",
    API_KEY,
    PORT: "0",
    LOG_LEVEL: "info",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "500",
  };
  const start = (name: string, entry: string, more: Record<string, string> = {}) =>
    startChild({ name, entry, env: { ...env, ...more }, log, onRestart: () => {} });
  const [api, ...workers] = await Promise.all([
    start("API", "api/node.ts"),
    start("worker", "worker/main.ts", { WORKER_ROLES: "classify,scan" }),
    start("worker", "worker/main.ts", { WORKER_ROLES: "deliver" }),
  ]);
  children.push(api, ...workers);
  ({ url } = api.ready as { url: string });
});
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop(10_000)));
  log.end();
  await server?.stop();
  await collector?.stop();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  return (await response.json()) as { id: string };
};
const classify = (hook: string, headers?: Record<string, string>) =>
  post(
    "/v1/classifications",
    { image: { url: `${server.url}/a.png` }, webhook: `${server.url}/hook/${hook}` },
    headers,
  );

/** The `traceparent` that came with the callback at `/hook/NAME`, once it has come. */
async function calledBack(hook: string): Promise<string> {
  const callback = () => server.received.find(({ path }) => path === `/hook/${hook}`);
  await expect.poll(callback, PATIENCE).toBeDefined();
  return String(callback()?.headers["traceparent"]);
}

/** Each span as `name < name of its parent`, the root as its name alone, once there are so many. */
async function treeOf(traceId: string, size: number): Promise<{ spans: CollectedSpan[]; tree: string[] }> {
  await expect.poll(() => collector.spansOf(traceId).length, PATIENCE).toBeGreaterThanOrEqual(size);
  const spans = collector.spansOf(traceId);
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  const tree = spans.map(({ name, parentSpanId }) =>
    parentSpanId === undefined ? name : `${name} < ${names.get(parentSpanId) ?? "an orphan"}`,
  );
  return { spans, tree: tree.toSorted() };
}

/** The lines that the processes have logged so far; one that is being written is not among them. */
const logged = () => readFileSync(logFile, "utf8").split("\n").slice(0, -1);
const warnings = () => logged().filter((line) => line.includes("traces cannot be sent"));
const lines = (traceId: string) =>
  logged()
    .filter((line) => line.includes(traceId))
    .map((line) => JSON.parse(line) as { trace_id: string; service: string; msg: string; id: string })
    .filter(({ trace_id }) => trace_id === traceId);

test("one classification is one connected trace across three processes, on to the callback", async () => {
  const { id } = await classify("one");
  const { traceId, spanId, isRecorded } = readTraceparent(await calledBack("one"));
  const { spans, tree } = await treeOf(traceId, 9);
  expect(tree).toEqual([
    "POST /v1/classifications",
    "POST < deliver message",
    "batch_wait < classify image",
    "classify image < POST /v1/classifications",
    "decode < classify image",
    "deliver message < classify image",
    "fetch < classify image",
    "inference < classify image",
    "store < classify image",
  ]);
  const instances = Map.groupBy(spans, ({ resource }) => String(resource["service.instance.id"]));
  const byInstance = [...instances.values()].map((each) => new Set(each.map(({ name }) => name)));
  expect(new Set(byInstance)).toEqual(
    new Set([
      new Set(["POST /v1/classifications"]),
      new Set(["classify image", "fetch", "decode", "batch_wait", "inference", "store"]),
      new Set(["deliver message", "POST"]),
    ]),
  );
  expect(new Set(spans.map(({ resource }) => resource["service.name"]))).toEqual(
    new Set(["tresline-api", "tresline-worker"]),
  );
  const named = (name: string) => spans.find((span) => span.name === name);
  expect([spanId, isRecorded]).toEqual([named("POST")?.spanId, true]);
  expect(named("classify image")?.attributes).toMatchObject({
    "tresline.id": id,
    "tresline.status": "succeeded",
    "tresline.label": "bar_chart",
    "messaging.system": "bullmq",
  });
  expect(spans.every(({ status }) => status.code === 0)).toBe(true);
  for (const span of spans)
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));

  await expect.poll(() => lines(traceId).length, PATIENCE).toBe(3);
  const said = lines(traceId).map(({ msg, service }) => `${service}: ${msg}`);
  expect(said.toSorted()).toEqual(["api: request", "worker: classification", "worker: webhook delivered"]);
  expect(lines(traceId).filter((line) => line.id === id)).toHaveLength(2);
});

test("a request of somebody's trace goes under their span", async () => {
  const traceparent = newTraceparent();
  await classify("theirs", { traceparent });
  const theirs = readTraceparent(traceparent);
  expect(readTraceparent(await calledBack("theirs")).traceId).toBe(theirs.traceId);
  const { spans, tree } = await treeOf(theirs.traceId, 9);
  expect(tree.filter((each) => each.endsWith("an orphan"))).toEqual(["POST /v1/classifications < an orphan"]);
  expect(spans.find(({ name }) => name === "POST /v1/classifications")?.parentSpanId).toBe(theirs.spanId);
});

test("of a trace that its owner does not want recorded nothing is told, and it is passed on", async () => {
  const unrecorded = newTraceparent().replace(/01$/, "00");
  await classify("unrecorded", { traceparent: unrecorded });
  expect(await calledBack("unrecorded")).toBe(unrecorded);
  // What is sent after it tells that all of it would have been there by now.
  await classify("after");
  await treeOf(readTraceparent(await calledBack("after")).traceId, 9);
  expect(collector.spansOf(readTraceparent(unrecorded).traceId)).toEqual([]);
});

test("a batch is one trace from its request over its chunks to its callback", async () => {
  const items = Array.from({ length: 70 }, (_, i) => ({
    custom_id: `n-${i}`,
    image: { url: `${server.url}/${i}.png` },
  }));
  const { id } = await post("/v1/batches", { items, webhook: `${server.url}/hook/batch` });
  const { traceId } = readTraceparent(await calledBack("batch"));
  const { tree } = await treeOf(traceId, 7);
  expect(tree).toEqual([
    "POST /v1/batches",
    "POST < deliver message",
    "classify chunk < enqueue batch",
    "classify chunk < enqueue batch",
    "deliver message < finish batch",
    "enqueue batch < POST /v1/batches",
    expect.stringMatching(/^finish batch < (classify chunk|enqueue batch)$/),
  ]);
  await expect.poll(() => lines(traceId).length, PATIENCE).toBe(5);
  const told = lines(traceId).filter((line) => line.id === id);
  expect(told.map(({ msg }) => msg).toSorted()).toEqual(["batch", "chunk", "chunk", "request"]);
});

test("every field of the lines about them is described in docs/observability.md", () => {
  const described =
    readFileSync("docs/observability.md", "utf8").split("| field |")[1]?.split("\n\n")[0] ?? "";
  const names = [...described.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const told = logged().flatMap((line): Record<string, unknown>[] =>
    line.includes("trace_id") ? [JSON.parse(line)] : [],
  );
  const fields = new Set(told.flatMap((line) => Object.keys(line)));
  expect(fields.size).toBeGreaterThan(30);
  expect([...fields].filter((field) => !names.includes(field))).toEqual([]);
});

test("a collector that goes away is warned of once by each process, and nothing waits for it", async () => {
  await collector.stop();
  for (const hook of ["gone-1", "gone-2"]) await classify(hook).then(() => calledBack(hook));
  await expect.poll(() => warnings().length, PATIENCE).toBe(3);
  for (const hook of ["gone-3", "gone-4"]) await classify(hook).then(() => calledBack(hook));
  expect(warnings()).toHaveLength(3);
});

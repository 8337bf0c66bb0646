import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import { Lane } from "../../shared/contracts/lane.ts";
import { readTraceparent, traceIdOf } from "../../shared/traceparent.ts";
import { recordingTracer } from "../support/recording-tracer.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const IMAGE = { image: { url: "https://images.example/cat.jpg?token=a-secret" } };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** The newest line about a request. */
const line = () =>
  api.logLines
    .map((text) => JSON.parse(text) as Record<string, unknown>)
    .findLast(({ msg }) => msg === "request");

const jobOf = async (id: string) => {
  const found = await api.deps.queues.findClassification(["figures"], id);
  return found?.payload;
};

test("a request that made something has its id in its line, and its trace in the job", async () => {
  const response = await api.post("/v1/classifications", IMAGE, { traceparent: TRACEPARENT });
  const { id } = (await response.json()) as { id: string };
  expect(line()).toMatchObject({
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    request_id: response.headers.get("x-request-id"),
    id,
    tenant: "default",
    method: "POST",
    route: "/v1/classifications",
    path: "/v1/classifications",
    http_status: 202,
    ms: expect.any(Number),
  });
  expect((await jobOf(id))?.traceparent).toBe(TRACEPARENT);
});

test("a request of no trace begins one, and each its own", async () => {
  const traces = [];
  for (const _ of Lane.options) {
    const { id } = (await (await api.post("/v1/classifications", IMAGE)).json()) as { id: string };
    const { traceparent = "" } = (await jobOf(id)) ?? {};
    expect(line()).toMatchObject({ id, trace_id: traceIdOf(traceparent) });
    traces.push(traceIdOf(traceparent));
  }
  expect(new Set(traces).size).toBe(2);
});

test("a line about a thing has its id and its route, and one about nothing has none", async () => {
  await api.request("/v1/labelers/lbl_01kapz6s8r3v5m2n7q9w4x6y8z/runs?limit=1");
  expect(line()).toMatchObject({
    id: "lbl_01kapz6s8r3v5m2n7q9w4x6y8z",
    route: "/v1/labelers/:id/runs",
    path: "/v1/labelers/lbl_01kapz6s8r3v5m2n7q9w4x6y8z/runs",
    http_status: 404,
    code: "not_found",
  });
  await api.request("/v1/nothing/here");
  expect(line()).toMatchObject({ path: "/v1/nothing/here", http_status: 404 });
  expect(Object.keys(line() ?? {})).not.toEqual(expect.arrayContaining(["route"]));
  expect(Object.keys(line() ?? {})).not.toEqual(expect.arrayContaining(["id"]));
});

test("who watches over the process is told of when all is logged", async () => {
  await api.request("/healthz");
  expect(line()).toMatchObject({ level: 20, path: "/healthz" });
});

test("a request is a span under the one that it came from, and what it makes goes under its own", async () => {
  const { tracer, spans } = recordingTracer();
  const app = createApp({ ...api.deps, tracer });
  const send = (path: string, init: RequestInit = {}) =>
    app.request(path, { ...init, headers: { authorization: `Bearer ${API_KEY}`, traceparent: TRACEPARENT } });
  const response = await send("/v1/classifications?top_k=1", { method: "POST", body: JSON.stringify(IMAGE) });
  expect(response.status).toBe(415);
  await send("/healthz");
  await send("/v1/nothing");
  expect(spans).toEqual([
    expect.objectContaining({
      name: "POST /v1/classifications",
      kind: "server",
      parent: TRACEPARENT,
      fields: expect.objectContaining({
        request_id: response.headers.get("x-request-id"),
        "http.request.method": "POST",
        "http.route": "/v1/classifications",
        "http.response.status_code": 415,
        "url.path": "/v1/classifications",
      }),
      error: undefined,
    }),
    expect.objectContaining({ name: "GET" }),
  ]);
  const form = new FormData();
  form.set("image", new File(["no picture"], "a.png", { type: "image/png" }));
  const made = await send("/v1/classifications", { method: "POST", body: form });
  const { id } = (await made.json()) as { id: string };
  const span = spans.at(-1);
  expect(span?.fields).toMatchObject({ id, tenant: "default" });
  expect((await jobOf(id))?.traceparent).toBe(span?.traceparent);
  expect(readTraceparent(span?.traceparent ?? "").spanId).not.toBe(readTraceparent(TRACEPARENT).spanId);
});

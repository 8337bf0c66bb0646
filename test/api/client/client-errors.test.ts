import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { busy, figure, troubleOf } from "./client-setup.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  client = createClient(api);
});
afterAll(() => api.close());
beforeEach(() => {
  api.received.length = 0;
});

test("a refusal says what was wrong and where, under which code and request", async () => {
  const image = { url: "ftp://example.com" };
  const error = await troubleOf(client.classifications.create(image, { top_k: 0 }));
  expect(error).toMatchObject({
    name: "TreslineError",
    code: "invalid_request",
    status: 400,
    retryable: false,
  });
  expect(error.message).toBe(error.detail);
  expect(error.errors.map(({ pointer }) => pointer)).toEqual(["/top_k", "/image/url"]);
  expect(error.requestId).toMatch(/^req_/);
  expect(api.received).toHaveLength(1);
});

test("a wrong key is refused once", async () => {
  const stranger = createClient({ ...api, apiKey: "wrong" });
  expect(await troubleOf(stranger.batches.get("bat_0"))).toMatchObject({ code: "unauthorized", status: 401 });
  expect(api.received).toHaveLength(1);
});

test("a service that is away is said to be", async () => {
  const lost = createClient({ url: "http://127.0.0.1:1/", apiKey: "x", retries: 0 });
  const error = await troubleOf(lost.classifications.wait("cls_0"));
  expect(error).toMatchObject({ code: "connection", status: undefined, retryable: true });
  expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:1 cannot be reached: .+\.$/);
});

test("an answer of something else than Tresline is told as such", async () => {
  api.troubles.push(new Response("<html>", { status: 200 }), new Response('{"id": 1}', { status: 200 }));
  for (let time = 0; time < 2; time++)
    expect(await troubleOf(client.batches.get("bat_0"))).toMatchObject({ code: "unknown_answer" });
});

test("a code that only a newer service knows is passed on", async () => {
  const said = { type: "/docs#odd", title: "Odd", status: 418, detail: "It is odd.", instance: "/" };
  const problem = { ...said, code: "odd", request_id: "req_1" };
  api.troubles.push(new Response(JSON.stringify(problem), { status: 418 }));
  expect(await troubleOf(client.batches.get("bat_0"))).toMatchObject({
    code: "odd",
    detail: "It is odd.",
    requestId: "req_1",
  });
});

test("a call ends with the reason of its signal: before it, between retries and between looks", async () => {
  const reason = new Error("enough");
  const aborted = AbortSignal.abort(reason);
  await expect(client.batches.get("bat_0", { signal: aborted })).rejects.toBe(reason);
  const soon = () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    return controller.signal;
  };
  api.troubles.push(busy({ "retry-after": "30" }));
  await expect(client.batches.get("bat_0", { signal: soon() })).rejects.toBe(reason);
  const away = await client.classifications.create(figure(), { model: "figures" });
  api.troubles.push(
    new Response(JSON.stringify({ ...away, status: "queued" }), { headers: { "retry-after": "30" } }),
  );
  await expect(client.classifications.wait(away.id, { signal: soon() })).rejects.toBe(reason);
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TreslineError, createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { readFigure, toDataUrl } from "../support/figures.ts";
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

const figure = () => new Blob([readFigure("bar_chart_06.png")], { type: "image/png" });
const busy = (headers: Record<string, string> = {}, status = 503) =>
  new Response("busy", { status, headers });
const troubleOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TreslineError)) throw new Error(`There was no TreslineError: ${String(error)}`);
  return error;
};

test("an image is sent as it is, with its options, and waited for", async () => {
  const { id, status } = await client.classifications.create(figure(), { top_k: 2, priority: "bulk" });
  expect(["queued", "processing"]).toContain(status);
  const seen: string[] = [];
  const ended = await client.classifications.wait(id, { onProgress: (each) => seen.push(each.status) });
  expect(ended.predictions?.map(({ label }) => label)).toEqual(["bar_chart", expect.any(String)]);
  expect(seen.at(-1)).toBe("succeeded");
  expect(await client.classifications.get(id)).toEqual(ended);
  expect(api.received[0]?.headers.get("content-type")).toBe("image/png");
});

test("options that a query cannot have go along as JSON", async () => {
  const call = { waitS: 20 };
  const ended = await client.classifications.create(figure(), { metadata: { album: "2026" } }, call);
  expect(ended).toMatchObject({ status: "succeeded", metadata: { album: "2026" } });
  expect(api.received[0]?.headers.get("prefer")).toBe("wait=20");
});

test("an image of any size survives being written as a data URL", async () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) % 256);
  await client.classifications.create(new Blob([bytes], { type: "image/png" }), { metadata: { a: "b" } });
  const sent: unknown = await api.received[0]?.json();
  expect(sent).toMatchObject({ image: { data: toDataUrl(Buffer.from(bytes)) } });
});

test("an image may have a deadline", async () => {
  const { deadline } = await client.classifications.create(figure(), {}, { cancelAfter: "5m" });
  expect(Date.parse(deadline ?? "")).toBeGreaterThan(Date.now() + 200_000);
});

test("images and batches are listed as they are taken, and an image is canceled", async () => {
  const idle = await serveApi();
  try {
    const theirs = createClient(idle);
    const ids: string[] = [];
    for (let count = 0; count < 102; count++)
      ids.unshift((await theirs.classifications.create({ url: "https://example.com/cat.jpg" })).id);
    expect(await theirs.classifications.cancel(ids[1] ?? "")).toMatchObject({
      id: ids[1],
      status: "canceled",
    });
    const listed = async (...asked: Parameters<Client["classifications"]["list"]>) => {
      const found: string[] = [];
      for await (const { id } of theirs.classifications.list(...asked)) found.push(id);
      return found;
    };
    expect(await listed()).toEqual(ids);
    expect(await listed({ status: "canceled", model: "figures" })).toEqual([ids[1]]);
    expect(await listed({ model: "others" })).toEqual([]);
    idle.received.length = 0;
    for await (const { id } of theirs.classifications.list({ status: "queued" })) {
      expect(id).toBe(ids[0]);
      break;
    }
    expect(idle.received).toHaveLength(1);
    const items = [{ custom_id: "a", image: { url: "https://example.com/cat.jpg" } }];
    const batches = [await theirs.batches.create({ items }), await theirs.batches.create({ items })];
    const found = [];
    for await (const { id } of theirs.batches.list()) found.push(id);
    expect(found).toEqual(batches.map(({ id }) => id).toReversed());
  } finally {
    await idle.close();
  }
});

test("a batch is made, waited for and read item by item", async () => {
  const items = ["a", "b", "c"].map((custom_id, index) => ({
    custom_id,
    image: {
      data: index === 1 ? toDataUrl(Buffer.from("no image")) : toDataUrl(readFigure("table_00.webp")),
    },
  }));
  const made = await client.batches.create({ items, top_k: 1 });
  const progress: number[] = [];
  const ended = await client.batches.wait(made.id, { onProgress: (each) => progress.push(each.progress) });
  expect(ended).toMatchObject({ status: "completed", request_counts: { total: 3, succeeded: 2, failed: 1 } });
  expect(progress.at(-1)).toBe(1);
  const results = [];
  for await (const result of client.batches.results(made.id)) results.push(result);
  expect(results.map(({ custom_id, status }) => `${custom_id} ${status}`)).toEqual([
    "a succeeded",
    "b failed",
    "c succeeded",
  ]);
  expect(await client.batches.get(made.id)).toEqual(ended);
});

test("results that nobody reads to their end are let go", async () => {
  const image = { data: toDataUrl(readFigure("table_00.webp")) };
  const items = Array.from({ length: 100 }, (_, index) => ({ custom_id: `${index}`, image }));
  const { id } = await client.batches.create({ items });
  await client.batches.wait(id);
  for await (const { custom_id } of client.batches.results(id)) {
    expect(custom_id).toBe("0");
    break;
  }
});

test("what a batch left undone is done by another, and an ended batch can be deleted", async () => {
  const items = [{ custom_id: "bad", image: { data: toDataUrl(Buffer.from("no image")) } }];
  const { id } = await client.batches.create({ items });
  await client.batches.wait(id);
  const again = await client.batches.wait((await client.batches.retry(id)).id);
  expect(again).toMatchObject({ retry_of: id, status: "completed", request_counts: { total: 1, failed: 1 } });
  await client.batches.delete(id);
  expect(await troubleOf(client.batches.get(id))).toMatchObject({ code: "not_found", status: 404 });
});

test("a canceled batch ends with what was labelled by then", async () => {
  const image = { data: toDataUrl(readFigure("table_00.webp")) };
  const items = Array.from({ length: 300 }, (_, index) => ({ custom_id: `${index}`, image }));
  const { id } = await client.batches.create({ items }, { cancelAfter: "2h" });
  expect(await client.batches.cancel(id)).toMatchObject({ id, deadline: expect.any(String) });
  const { status, request_counts: counts } = await client.batches.wait(id);
  expect(status).toBe("canceled");
  const results = [];
  for await (const result of client.batches.results(id)) results.push(result.status);
  expect(results).toHaveLength(300);
  expect(results.filter((each) => each === "succeeded")).toHaveLength(counts.succeeded);
  expect(counts.succeeded + counts.canceled).toBe(300);
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

test("a busy or broken service is asked again under the same idempotency key, and not before it said", async () => {
  api.troubles.push(busy({ "retry-after": "1" }), busy({}, 429), "drop", busy({}, 500));
  const began = performance.now();
  const { id } = await client.classifications.create(figure());
  expect(id).toMatch(/^cls_/);
  expect(performance.now() - began).toBeGreaterThan(1_000);
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(keys).toHaveLength(5);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[\w-]{36}$/);
});

test("a request whose answer is lost is sent again and done once", async () => {
  const replayed: (string | null)[] = [];
  const listening = createClient({
    ...api,
    async fetch(...sent) {
      const response = await fetch(...sent);
      replayed.push(response.headers.get("idempotent-replayed"));
      return response;
    },
  });
  api.troubles.push("drop the answer");
  await listening.batches.create({ items: [{ custom_id: "a", image: { url: "http://10.0.0.1/a.png" } }] });
  expect(replayed).toEqual(["true"]);
});

test("each request that creates has a key of its own, or the one it was given", async () => {
  await client.classifications.create(figure());
  await client.classifications.create(figure());
  await client.classifications.create(figure(), {}, { idempotencyKey: "order-66" });
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe("order-66");
});

test("a client that never sends a request again gives it no key to remember, unless it is told one", async () => {
  const once = createClient({ ...api, retries: 0 });
  await once.classifications.create(figure());
  await once.classifications.create(figure(), {}, { idempotencyKey: "order-67" });
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(keys).toEqual([null, "order-67"]);
});

test("a request whose first try is still in hand is asked again, another conflict is not", async () => {
  api.troubles.push(busy({ "retry-after": "0" }, 409));
  await client.classifications.create(figure());
  expect(api.received).toHaveLength(2);
  api.troubles.push(busy({}, 409));
  expect(await troubleOf(client.classifications.create(figure()))).toMatchObject({
    code: "http_409",
    status: 409,
    retryable: false,
  });
});

test("a service that stays busy is given up after as many retries as were allowed", async () => {
  const hasty = createClient({ ...api, retries: 2 });
  api.troubles.push(...Array.from({ length: 3 }, () => busy({ "retry-after": "0" })));
  expect(await troubleOf(hasty.batches.get("bat_0"))).toMatchObject({ code: "http_503", retryAfterMs: 0 });
  expect(api.received).toHaveLength(3);
});

test("waiting survives a service that goes away for more than all retries", async () => {
  const hasty = createClient({ ...api, retries: 0 });
  const { id } = await hasty.classifications.create(figure());
  const asked = hasty.classifications.wait(id, {
    onProgress: () => api.received.length === 2 && api.troubles.push("drop", busy(), "drop"),
  });
  expect((await asked).status).toBe("succeeded");
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

import { afterAll, beforeAll, expect, test } from "vitest";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { batchItemId } from "../../../shared/new-id.ts";
import { makeKey } from "../support/make-key.ts";
import { readFigure, toDataUrl } from "../support/figures.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const CHART = readFigure("bar_chart_06.png");

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  api = await startTestApi();
  visitor = await visit(api);
});
afterAll(() => api.close());

/** Sends an image by itself, as its data, and answers its id. */
async function send(bytes: Buffer<ArrayBuffer>, mediaType: string): Promise<string> {
  const answer = await api.post("/v1/classifications", { image: { data: toDataUrl(bytes, mediaType) } });
  return ((await answer.json()) as { id: string }).id;
}

const ask = (id: string, method = "GET") =>
  api.app.request(`/console/images/${id}`, { method, headers: { cookie: visitor.cookie } });

test("an image that came with a request is shown as what it is, and may run nothing", async () => {
  const response = await ask(await send(CHART, "image/png"));
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "image/png",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, max-age=3600",
  });
  expect(Buffer.from(await response.arrayBuffer()).equals(CHART)).toBe(true);
});

const text = (latin1: string) => Buffer.from(Buffer.from(latin1, "latin1"));

test.each([
  ["image/jpeg", text("\xff\xd8\xff\xe0....")],
  ["image/gif", text("GIF89a....")],
  ["image/webp", text("RIFF....WEBPVP8 ")],
  ["image/avif", text("....ftypavif....")],
])("%s is known by its first bytes, whatever the request called it", async (type, bytes) => {
  const response = await ask(await send(bytes, "image/x-anything"));
  expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
});

test.each([
  [
    "SVG, which may run a script",
    text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
  ],
  ["HTML", text("<!doctype html><script>alert(1)</script>")],
  ["a text that begins like an image later on", text(" GIF89a")],
])("%s is not shown, though it was called an image", async (_of, bytes) => {
  expect((await ask(await send(bytes, "image/png"))).status).toBe(404);
});

test("an image of a batch is found by its item, and an upload by its id", async () => {
  const upload = (await (
    await api.post("/v1/uploads", { media_type: "image/png", bytes: CHART.length })
  ).json()) as { id: string };
  const put = { method: "PUT", headers: { "content-type": "image/png" }, body: CHART };
  expect((await api.request(`/v1/uploads/${upload.id}`, put)).status).toBe(204);
  const items = [
    { custom_id: "data", image: { data: toDataUrl(CHART) } },
    { custom_id: "upload", image: { upload_id: upload.id } },
  ];
  const { id } = (await (await api.post("/v1/batches", { items })).json()) as { id: string };
  for (const each of [batchItemId(id, 0), upload.id]) expect((await ask(each)).status, each).toBe(200);
  const { key } = await makeKey(api, { tenant: "other" });
  const other = await visit(api, key);
  for (const each of [batchItemId(id, 0), upload.id])
    expect((await other.get(`/console/images/${each}`)).status, each).toBe(404);
});

test("a classification of an upload shows the upload, also when that is no longer known by itself", async () => {
  const upload = (await (
    await api.post("/v1/uploads", { media_type: "image/png", bytes: CHART.length })
  ).json()) as { id: string };
  await api.request(`/v1/uploads/${upload.id}`, {
    method: "PUT",
    headers: { "content-type": "image/png" },
    body: CHART,
  });
  const made = (await (
    await api.post("/v1/classifications", { image: { upload_id: upload.id } })
  ).json()) as { id: string };
  await api.redis.redis.del(redisKeys.upload("default", upload.id));
  expect([(await ask(made.id)).status, (await ask(upload.id)).status]).toEqual([200, 404]);
});

test("what has no bytes here is not found: an address, an image that is gone, an id of another kind", async () => {
  const url = (await (
    await api.post("/v1/classifications", { image: { url: "https://example.com/a.png" } })
  ).json()) as { id: string };
  const gone = await send(CHART, "image/png");
  await api.deps.storage.delete(storageKeys.upload(gone));
  for (const id of [url.id, gone, "../results", "bat_01kapz6s8r3v5m2n7q9w4x6y8z"])
    expect((await ask(id)).status, id).toBe(404);
});

test("an image that nobody reads is let go of", async () => {
  const id = await send(CHART, "image/png");
  const { storage } = api.deps;
  const getStream = storage.getStream.bind(storage);
  let isCanceled = false;
  storage.getStream = async () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(CHART),
      cancel: () => void (isCanceled = true),
    });
  const response = await ask(id, "HEAD");
  storage.getStream = getStream;
  expect([response.status, response.headers.get("content-type"), isCanceled]).toEqual([
    200,
    "image/png",
    true,
  ]);
});

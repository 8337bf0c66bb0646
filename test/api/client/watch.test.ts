import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Classification, Client } from "../../../api/client/client.ts";
import { readFigure, toDataUrl } from "../support/figures.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi();
  client = createClient(api);
});
afterAll(() => api.close());
beforeEach(() => {
  api.received.length = 0;
});

const image = { url: "https://example.com/cat.jpg" };
/** A stream with these events, of which the last one is cut off. */
const broken = (...events: { id: string; resource: object }[]) =>
  new Response(
    `${events.map(({ id, resource }) => `id: ${id}\ndata: ${JSON.stringify(resource)}\n\n`).join("")}id: half`,
    { headers: { "content-type": "text/event-stream" } },
  );
const lastIds = () => api.received.map(({ headers }) => headers.get("last-event-id"));

test("a classification is told at each change until it has ended, wherever the stream broke off", async () => {
  const queued = await client.classifications.create(image);
  api.received.length = 0;
  const seen: Classification["status"][] = [];
  api.troubles.push(broken({ id: "queued", resource: queued }));
  for await (const { status } of client.classifications.watch(queued.id)) {
    seen.push(status);
    if (status === "canceled") continue;
    await client.classifications.cancel(queued.id);
    api.troubles.push(broken(), "drop");
  }
  expect(seen).toEqual(["queued", "canceled"]);
  expect(lastIds().filter((id) => id !== null)).toEqual(["queued", "queued", "queued"]);
});

test("a batch is told as it goes on, and ends the same as when it is waited for", async () => {
  await api.startWorker();
  const items = Array.from({ length: 100 }, (_, index) => ({
    custom_id: `${index}`,
    image: { data: toDataUrl(readFigure("table_00.webp")) },
  }));
  const { id } = await client.batches.create({ items });
  const seen = [];
  for await (const batch of client.batches.watch(id)) seen.push(batch);
  expect(seen.at(-1)).toEqual(await client.batches.wait(id));
  expect(seen.at(-1)).toMatchObject({ status: "completed", request_counts: { succeeded: 100 } });
});

test("watching ends with the reason of its signal, and lets go of the stream when it is left", async () => {
  const { id } = await client.classifications.create(image);
  const reason = new Error("enough");
  const leaving = new AbortController();
  const watched = client.classifications.watch(id, { signal: leaving.signal });
  expect((await watched.next()).done).toBe(false);
  const next = (async () => {
    for await (const _ of watched);
  })();
  leaving.abort(reason);
  await expect(next).rejects.toBe(reason);
  for await (const each of client.classifications.watch(id)) {
    expect(each.id).toBe(id);
    break;
  }
});

test("what is not there is told at once", async () => {
  const missing = client.classifications.watch("cls_01kapz6s8r3v5m2n7q9w4x6y8z");
  await expect(missing.next()).rejects.toMatchObject({ code: "not_found", status: 404 });
});

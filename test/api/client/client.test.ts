import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { readFigure, toDataUrl } from "../support/figures.ts";
import { figure, troubleOf } from "./client-setup.ts";
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

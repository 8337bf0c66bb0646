import { afterAll, beforeAll, expect, test } from "vitest";
import { TreslineError, createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi({ S3_SOURCE_BUCKETS: "photos" });
  client = createClient(api);
});
afterAll(() => api.close());

test("a labeler is made, listed, paused, resumed and deleted", async () => {
  const request = { bucket: "photos", prefix: "2026/", suffixes: [".jpg"], write_back: "tags" as const };
  const made = await client.labelers.create(request);
  expect(made).toMatchObject({ status: "active", ...request });
  expect(await client.labelers.list()).toEqual([made]);
  expect(await client.labelers.pause(made.id)).toMatchObject({ id: made.id, status: "paused" });
  expect(await client.labelers.get(made.id)).toMatchObject({ status: "paused" });
  expect(await client.labelers.resume(made.id)).toMatchObject({ status: "active", run: null });
  await client.labelers.delete(made.id);
  expect(await client.labelers.list()).toEqual([]);
  await expect(client.labelers.get(made.id)).rejects.toThrow(`There is no labeler ${made.id}.`);
});

test("a run is started, listed, looked at and canceled", async () => {
  const { id } = await client.labelers.create({ bucket: "photos" });
  const run = await client.labelers.runs.create(id, { mode: "relabel", images_per_second: 2 });
  expect(run).toMatchObject({ labeler_id: id, mode: "relabel", status: "validating" });
  expect((await client.labelers.runs.list(id)).map((each) => each.id)).toEqual([run.id]);
  expect(await client.labelers.runs.get(id, run.id)).toMatchObject({ id: run.id });
  expect(await client.labelers.runs.find(run.id)).toMatchObject({ id: run.id, labeler_id: id });
  const second = client.labelers.runs.create(id);
  await expect(second).rejects.toBeInstanceOf(TreslineError);
  await expect(second).rejects.toMatchObject({ code: "conflict", status: 409 });
  expect(await client.labelers.runs.cancel(id, run.id)).toMatchObject({ status: "canceling" });
});

test("whatever is created carries an idempotency key", async () => {
  const created = api.received.filter(
    ({ method, url }) => method === "POST" && /\/(labelers|runs)$/.test(url),
  );
  expect(created.length).toBeGreaterThan(2);
  expect(created.filter(({ headers }) => !headers.has("idempotency-key"))).toEqual([]);
});

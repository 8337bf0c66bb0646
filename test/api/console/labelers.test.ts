import { afterAll, beforeAll, expect, test } from "vitest";
import { writeManifest } from "../../../shared/batch-manifest.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { endBatch, getBatchState, startBatch } from "../../../shared/state/batches.ts";
import { countChunk, sealChunks } from "../../../shared/state/count-chunk.ts";
import { countMissed, putLabeler } from "../../../shared/state/labelers.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { firstEvent } from "./support/first-event.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const LABELERS = "/console/labelers";

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
  visitor = await visit(api);
});
afterAll(() => api.close());

async function make(): Promise<string> {
  const record = labelerRecord({ prefix: "2026/", suffixes: [".jpg"] });
  await putLabeler(api.redis.redis, record);
  return `${LABELERS}/${record.id}`;
}
const idIn = (path: string) => path.split("/").at(-1) ?? "";

/** Starts a run by the page's form and gives its id. */
async function startRun(labeler: string, fields: Record<string, string> = {}): Promise<string> {
  const { status, location } = await visitor.post(`${labeler}/runs`, fields);
  expect([status, location]).toEqual([303, labeler]);
  const { text } = await visitor.get(labeler);
  return /run_[0-9a-z]{26}/.exec(text)?.[0] ?? "";
}

test("a labeler is made by the form, shown and listed", async () => {
  expect((await visitor.get(LABELERS)).text).toContain("There is none.");
  const { status, location } = await visitor.post(LABELERS, {
    bucket: " photos ",
    prefix: "2026/",
    suffixes: ".jpg, .png",
    model: "",
    top_k: "3",
    threshold: "0.5",
    write_back: "tags",
    on_error: "report",
    webhook: "",
  });
  expect(status).toBe(303);
  const { text } = await visitor.get(location ?? "");
  for (const shown of ["s3://photos/2026/", ".jpg .png", "0.5", "tags", "active", "No run was started yet."])
    expect(text).toContain(shown);
  expect((await visitor.get(LABELERS)).text).toContain(`<a href="${location}">s3://photos/2026/</a>`);
});

test("a form that cannot be taken comes back as it was filled, with what is wrong at each field", async () => {
  const { status, text } = await visitor.post(LABELERS, { bucket: "ph", prefix: 'x"><b>', top_k: "many" });
  expect(status).toBe(400);
  expect(text).toContain('value="x&quot;&gt;&lt;b&gt;"');
  expect(text).toMatch(/id="bucket"[^>]*aria-invalid="true"/);
  expect(text).toMatch(/id="top_k"[^>]*aria-invalid="true"/);
  expect(text).toMatch(/id="bucket-more">\s*<span class="fault">/);
  const other = await visitor.post(LABELERS, { bucket: "secrets" });
  expect(other.status).toBe(422);
  expect(other.text).toContain("The bucket &quot;secrets&quot; may not be read");
});

test("a run is started and shown with its progress, which goes on without the page being loaded again", async () => {
  const labeler = await make();
  const id = await startRun(labeler, { mode: "relabel", images_per_second: "20" });
  const { text } = await visitor.get(labeler);
  expect(text).toContain(`<tr id="${id}" data-moving`);
  expect(text).toContain("validating");
  const { redis } = api.redis;
  await startBatch(redis, id);
  await redis.hset(`{tresline}:batch:${id}`, { total: 4 });
  await countChunk(redis, id, { number: 0, counts: { succeeded: 1, skipped: 1 } });
  const told = await firstEvent(api, visitor, `${labeler}/runs/live?ids=${id}`);
  expect(told[id]).toContain('value="0.5"');
  expect(told[id]).toContain("50 % of 4 known so far");
  expect(told[id]).toContain("in progress");
});

test("a run that has ended tells what became of the objects and gives its results", async () => {
  const labeler = await make();
  const id = await startRun(labeler);
  const { redis } = api.redis;
  await startBatch(redis, id);
  await countChunk(redis, id, { number: 0, counts: { succeeded: 3, failed: 1 } });
  await sealChunks(redis, id, 1);
  await endBatch(redis, id, "completed", new Date().toISOString());
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`${id} is not known.`);
  await writeManifest(api.deps.storage, state);
  await api.deps.storage.put(storageKeys.batchResults(id), "{}\n", { contentType: "application/x-ndjson" });
  const { text } = await visitor.get(labeler);
  expect(text).toContain("3 succeeded, 1 failed");
  expect(text).not.toContain("data-moving");
  const results = await visitor.get(`${labeler}/runs/${id}/results`);
  expect([results.status, results.text]).toEqual([200, "{}\n"]);
  expect(results.headers.get("content-disposition")).toBe(`attachment; filename="${id}.jsonl"`);
});

test("while a run moves another is refused, and it can be canceled", async () => {
  const labeler = await make();
  const id = await startRun(labeler);
  const refused = await visitor.post(`${labeler}/runs`);
  expect(refused.status).toBe(409);
  expect(refused.text).toContain(`The run ${id} of this labeler is validating`);
  expect((await visitor.post(`${labeler}/runs/${id}/cancel`)).location).toBe(labeler);
  const { text } = await visitor.get(labeler);
  expect(text).toContain("canceling");
  expect(text).not.toContain(`${id}/cancel`);
});

test("a labeler is paused, tells what it misses, and is resumed with a run that finds that", async () => {
  const labeler = await make();
  await visitor.post(`${labeler}/pause`);
  await countMissed(api.redis.redis, idIn(labeler), 1_234);
  const paused = await visitor.get(labeler);
  expect(paused.text).toContain("is missed, 1,234 so far");
  expect(paused.text).toContain("Resume");
  await visitor.post(`${labeler}/resume`);
  const { text } = await visitor.get(labeler);
  expect(text).toMatch(/run_[0-9a-z]{26}/);
  expect(text).not.toContain("It is paused");
});

test("deleting asks before it does", async () => {
  const labeler = await make();
  const asked = await visitor.get(`${labeler}/delete`);
  expect(asked.text).toContain("Labels that were written stay where they are.");
  expect(asked.text).toContain(`<form method="post" action="${labeler}/delete">`);
  expect((await visitor.get(labeler)).status).toBe(200);
  expect((await visitor.post(`${labeler}/delete`)).location).toBe(LABELERS);
  expect((await visitor.get(labeler)).status).toBe(404);
});

test("who may only read sees labelers and no button, and does nothing by asking for it", async () => {
  const { key } = await makeKey(api, { scopes: ["read"] });
  const reader = await visit(api, key);
  const labeler = await make();
  const { text } = await reader.get(labeler);
  for (const unseen of ["<button>Pause", "Start a run", "Delete…"]) expect(text).not.toContain(unseen);
  expect((await reader.get(LABELERS)).text).not.toContain("New labeler");
  for (const verb of ["runs", "pause", "resume", "delete"])
    expect((await reader.post(`${labeler}/${verb}`)).status).toBe(403);
});

test("another tenant's labeler is not there", async () => {
  const { key } = await makeKey(api, { tenant: "another" });
  const other = await visit(api, key);
  const labeler = await make();
  expect((await other.get(labeler)).status).toBe(404);
  expect((await other.post(`${labeler}/delete`)).status).toBe(404);
  expect((await other.get(LABELERS)).text).not.toContain(idIn(labeler));
  expect((await visitor.get(labeler)).status).toBe(200);
});

test.each(["/console/labelers/nonsense", "/console/labelers/lbl_01kapz6s8r3v5m2n7q9w4x6y8z"])(
  "%s is a page that says that there is nothing",
  async (path) => {
    const { status, text } = await visitor.get(path);
    expect(status).toBe(404);
    expect(text).toContain("There is nothing here");
  },
);

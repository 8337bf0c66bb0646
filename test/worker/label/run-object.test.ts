import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ClassifyObjectPayload } from "../../../shared/contracts/queue-payloads.ts";
import { newId } from "../../../shared/new-id.ts";
import { forgetLabeler, getLabelerState, pause, putLabeler } from "../../../shared/state/labelers.ts";
import { claimObject, releaseObject } from "../../../shared/state/object-claims.ts";
import { takeJobs } from "../../../worker/classify/start.ts";
import { objectHash } from "../../../worker/label/object-record.ts";
import { runObject } from "../../../worker/label/run-object.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { swan, testLabelling } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const FIRST = { number: 1, crashes: 0, isRepeated: false };
let deps: WorkerTestDeps;
let bucket: FakeBucket;
let job: ClassifyObjectPayload;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());
beforeEach(async () => {
  bucket = fakeBucket();
  bucket.put("a.png", swan);
  const record = labelerRecord();
  await putLabeler(deps.redis, record);
  job = {
    id: newId("cls"),
    tenant: "default",
    model: "birds",
    top_k: 1,
    threshold: 0,
    labeler: { id: record.id, write_back: "tags", on_error: "report", mode: "live" },
    bucket: "photos",
    key: "a.png",
  };
});

const classifyDeps = () => testLabelling({ ...deps, ...bucket }, {}).classifyDeps;
const counts = async () =>
  (await getLabelerState(deps.redis, "default", job.labeler.id))?.labeler.event_counts;
const awayForEver = () => Promise.reject(new Error("S3 is away."));
const lines = () => deps.log.filter(({ id, msg }) => id === job.id && msg === "object");

test("a job of an object is taken from its model's queue of objects, and one line of the log tells how it ended", async () => {
  const all = classifyDeps();
  await deps.queues.enqueueObjects("birds", [{ id: job.id, payload: job }]);
  const consuming = takeJobs(deps, all, 8);
  await expect.poll(counts, { timeout: 10_000 }).toMatchObject({ labelled: 1 });
  await consuming.close();
  expect(bucket.tagsOf("a.png")).toContainEqual({ key: "tresline.label", value: "swan" });
  expect(lines()).toMatchObject([
    {
      level: "info",
      labeler: job.labeler.id,
      bucket: "photos",
      key: "a.png",
      status: "succeeded",
      label: "swan",
    },
  ]);
});

test("an object that fails has its line and its count", async () => {
  bucket.put("a.png", Buffer.from("no image"));
  await runObject(job, FIRST, classifyDeps());
  expect(await counts()).toMatchObject({ failed: 1 });
  expect(lines()).toMatchObject([{ status: "failed", code: "invalid_image" }]);
});

test("an object that another job has in hand puts its job off, without a line", async () => {
  const claim = { labelerId: job.labeler.id, object: await objectHash(job), id: newId("cls") };
  await claimObject(deps.redis, claim, { isRepeated: false });
  expect(await runObject(job, FIRST, classifyDeps())).toEqual({ putOffMs: expect.any(Number) });
  expect(lines()).toEqual([]);
  await releaseObject(deps.redis, claim);
  expect(await runObject(job, { number: 1, crashes: 1, isRepeated: true }, classifyDeps())).toBeUndefined();
  expect(await counts()).toMatchObject({ labelled: 1 });
});

test("trouble that may pass is tried five times, and is the failure of the object after that", async () => {
  const buckets = { ...bucket.buckets, read: awayForEver };
  const away = testLabelling({ ...deps, ...bucket, buckets }, {}).classifyDeps;
  for (const number of [1, 2, 3, 4])
    await expect(runObject(job, { number, crashes: 0, isRepeated: number > 1 }, away)).rejects.toThrow(
      "S3 is away.",
    );
  expect(await counts()).toMatchObject({ failed: 0 });
  await runObject(job, { number: 5, crashes: 0, isRepeated: true }, away);
  expect(await counts()).toMatchObject({ failed: 1 });
  expect(lines()).toMatchObject([{ status: "failed", code: "internal", attempt: 5 }]);
});

test("an object is left alone whose labeler was paused meanwhile, which counts it as missed, or deleted", async () => {
  await pause(deps.redis, job.labeler.id);
  await runObject(job, FIRST, classifyDeps());
  expect(await counts()).toEqual({ labelled: 0, failed: 0, skipped: 0, missed: 1 });
  await forgetLabeler(deps.redis, { ...labelerRecord(), id: job.labeler.id });
  await runObject(job, FIRST, classifyDeps());
  expect(bucket.tagsOf("a.png")).toEqual([]);
  expect(lines()).toEqual([]);
});

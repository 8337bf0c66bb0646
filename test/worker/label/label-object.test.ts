import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import { labelObject } from "../../../worker/label/label-object.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { TEST_DIGEST, raven, swan } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import {
  BUCKET,
  FIRST,
  RAVEN,
  SWAN,
  newLabeler,
  objectsToLabel,
  tagsOfLabels,
  theirs,
} from "./objects-to-label.ts";

const OTHER_DIGEST = `sha256:${"1".repeat(64)}`;

let deps: WorkerTestDeps;
let bucket: FakeBucket;
let labelerId: string;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());
beforeEach(async () => {
  bucket = fakeBucket();
  labelerId = await newLabeler(deps);
});
const { toLabel, labelling, label, record, counts } = objectsToLabel(() => ({ deps, bucket, labelerId }));

describe("an object that an event told of", () => {
  test("has its labels in its tags, beside those of others, and in the labeler's record; it is counted", async () => {
    const etag = bucket.put("swan.png", swan);
    await bucket.labelWriter.putTags({ bucket: BUCKET, key: "swan.png" }, [theirs]);
    const object = toLabel("swan.png");
    expect(await label(object)).toMatchObject({ status: "succeeded", etag, predictions: [SWAN] });
    expect(bucket.tagsOf("swan.png")).toEqual([theirs, ...tagsOfLabels("swan", "0.9")]);
    expect(await record("swan.png")).toEqual({
      id: object.id,
      bucket: BUCKET,
      key: "swan.png",
      etag,
      model: "birds",
      model_digest: TEST_DIGEST,
      predictions: [SWAN],
      error: null,
      labelled_at: expect.any(String),
    });
    expect(await counts()).toEqual({ labelled: 1, failed: 0, skipped: 0, missed: 0 });
  });

  test("has its labels in a sidecar that says of which version they are", async () => {
    const etag = bucket.put("swan.png", swan);
    await label(toLabel("swan.png", { write_back: "sidecar" }));
    expect(bucket.sidecarOf("swan.png")).toEqual({
      key: "swan.png",
      etag,
      model: "birds",
      model_digest: TEST_DIGEST,
      predictions: [SWAN],
      error: null,
    });
    expect(bucket.tagsOf("swan.png")).toEqual([]);
  });

  test("is left alone when nothing is to be written back", async () => {
    bucket.put("swan.png", swan);
    expect(await label(toLabel("swan.png", { write_back: "none" }))).toMatchObject({ status: "succeeded" });
    expect(bucket.written).toEqual([]);
    expect(await record("swan.png")).toMatchObject({ predictions: [SWAN] });
  });

  test("is skipped when this version has its labels, and labelled when it is another", async () => {
    bucket.put("a.png", swan);
    await label(toLabel("a.png"));
    expect(await label(toLabel("a.png"))).toMatchObject({ status: "skipped" });
    const etag = bucket.put("a.png", raven);
    expect(await label(toLabel("a.png"))).toMatchObject({
      status: "succeeded",
      etag,
      predictions: [RAVEN],
      previous: { label: "swan", model_digest: TEST_DIGEST },
    });
    expect(bucket.tagsOf("a.png")).toEqual(tagsOfLabels("raven", "0.8"));
    expect(await counts()).toMatchObject({ labelled: 2, skipped: 1 });
  });

  test("is skipped when the same event comes again after all was done", async () => {
    bucket.put("a.png", swan);
    const object = toLabel("a.png");
    for (const _ of [1, 2]) await label(object);
    expect(await counts()).toMatchObject({ labelled: 1, skipped: 1 });
    expect(bucket.written).toEqual(["tags a.png"]);
  });

  test("is skipped when it is gone, and when it goes while it is labelled", async () => {
    expect(await label(toLabel("gone.png"))).toEqual({ status: "skipped" });
    bucket.put("going.png", swan);
    const getTags: ClassifyDeps["labelWriter"]["getTags"] = (object) => {
      bucket.remove("going.png");
      return bucket.labelWriter.getTags(object);
    };
    const more = { labelWriter: { ...bucket.labelWriter, getTags } };
    expect(await label(toLabel("going.png"), FIRST, more)).toEqual({ status: "skipped" });
    expect(await counts()).toMatchObject({ skipped: 2 });
  });
});

describe("an object of a run", () => {
  test("is not asked for when its listed version has its labels", async () => {
    const etag = bucket.put("a.png", swan);
    await label(toLabel("a.png", { mode: "backfill", etag }));
    bucket.remove("a.png");
    expect(await label(toLabel("a.png", { mode: "backfill", etag }))).toEqual({ status: "skipped", etag });
    expect(await counts()).toMatchObject({ labelled: 0, skipped: 0 });
  });

  test("that is gone fails, since it was listed", async () => {
    const listed = toLabel("gone.png", { mode: "backfill", etag: '"1"' });
    expect(await label(listed)).toMatchObject({
      status: "failed",
      error: { code: "fetch_failed", detail: "s3://photos/gone.png is no longer there.", retryable: false },
    });
  });

  test("that was replaced since it was listed is labelled as it is now", async () => {
    const listed = bucket.put("a.png", swan);
    const etag = bucket.put("a.png", raven);
    const object = toLabel("a.png", { mode: "backfill", etag: listed });
    expect(await label(object)).toMatchObject({ etag, predictions: [RAVEN] });
    expect(await record("a.png")).toMatchObject({ etag });
  });

  test("that failed before is tried again by a backfill", async () => {
    const etag = bucket.put("a.png", Buffer.from("no image"));
    const failed = await label(toLabel("a.png", { mode: "backfill", etag }));
    expect(failed).toMatchObject({ status: "failed", etag, error: { code: "invalid_image" } });
    const again = await label(toLabel("a.png", { mode: "backfill", etag }));
    expect(again).toMatchObject({ status: "failed", previous: { label: null, model_digest: TEST_DIGEST } });
  });

  test("is relabelled only when another model labelled it", async () => {
    const etag = bucket.put("a.png", swan);
    const relabel = () => toLabel("a.png", { mode: "relabel", etag });
    expect(await label(relabel())).toEqual({ status: "skipped", etag });
    await labelObject(toLabel("a.png", { mode: "backfill", etag }), FIRST, labelling({}, OTHER_DIGEST));
    expect(await label(toLabel("a.png", { mode: "backfill", etag }))).toEqual({ status: "skipped", etag });
    expect(await label(relabel())).toMatchObject({
      status: "succeeded",
      previous: { label: "swan", model_digest: OTHER_DIGEST },
    });
    expect(await label(relabel())).toEqual({ status: "skipped", etag });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PermanentError, TransientError } from "../../../shared/errors.ts";
import { suspect } from "../../../shared/state/suspects.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { swan } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { BUCKET, FIRST, LAST, newLabeler, objectsToLabel, tagsOfLabels, theirs } from "./objects-to-label.ts";

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
const { toLabel, label, record, counts } = objectsToLabel(() => ({ deps, bucket, labelerId }));

const rejects = (error: Error) => async (): Promise<never> => {
  throw error;
};

describe("an object that cannot be labelled", () => {
  test("is reported, and its tags are left alone", async () => {
    bucket.put("text.png", Buffer.from("no image"));
    expect(await label(toLabel("text.png"))).toMatchObject({
      status: "failed",
      error: { code: "invalid_image" },
    });
    expect(bucket.written).toEqual([]);
    expect(await record("text.png")).toMatchObject({ predictions: null, error: { code: "invalid_image" } });
    expect(await counts()).toMatchObject({ failed: 1 });
  });

  test("is marked in its tags when the labeler wants that, in place of labels of another time", async () => {
    bucket.put("text.png", Buffer.from("no image"));
    const before = [theirs, ...tagsOfLabels("swan", "0.9")];
    await bucket.labelWriter.putTags({ bucket: BUCKET, key: "text.png" }, before);
    await label(toLabel("text.png", { on_error: "write_back" }));
    expect(bucket.tagsOf("text.png")).toEqual([theirs, { key: "tresline.error", value: "invalid_image" }]);
  });

  test("is marked in its sidecar when the labeler wants that", async () => {
    bucket.put("text.png", Buffer.from("no image"));
    await label(toLabel("text.png", { write_back: "sidecar", on_error: "write_back" }));
    expect(bucket.sidecarOf("text.png")).toMatchObject({
      predictions: null,
      error: { code: "invalid_image", detail: "The file is not an image of a known format." },
    });
  });

  test("for trouble that may pass is tried again, and fails after the last try", async () => {
    bucket.put("a.png", swan);
    const away = rejects(new TransientError("fetch_failed", "S3 is away."));
    const more = { buckets: { ...bucket.buckets, read: away } };
    const object = toLabel("a.png", { on_error: "write_back" });
    await expect(label(object, FIRST, more)).rejects.toThrow("S3 is away.");
    expect(await record("a.png")).toBeUndefined();
    expect(await label(object, LAST, more)).toMatchObject({ status: "failed", error: { retryable: true } });
    expect(bucket.tagsOf("a.png")).toEqual([{ key: "tresline.error", value: "fetch_failed" }]);
    expect(await counts()).toMatchObject({ failed: 1, labelled: 0 });
  });

  test("since its labels cannot be written fails with the reason, even when that cannot be marked either", async () => {
    bucket.put("a.png", swan);
    const full = Array.from({ length: 10 }, (_, i) => ({ key: `theirs-${i}`, value: "" }));
    await bucket.labelWriter.putTags({ bucket: BUCKET, key: "a.png" }, full);
    expect(await label(toLabel("a.png", { on_error: "write_back" }))).toMatchObject({
      status: "failed",
      error: { code: "conflict", retryable: false },
    });
    bucket.put("b.png", swan);
    const forbidden = rejects(new PermanentError("fetch_forbidden", "It may not."));
    const more = { labelWriter: { ...bucket.labelWriter, putTags: forbidden } };
    expect(await label(toLabel("b.png"), FIRST, more)).toMatchObject({
      status: "failed",
      error: { code: "fetch_forbidden", detail: "It may not." },
    });
    expect(bucket.tagsOf("a.png")).toEqual(full);
    expect(await record("a.png")).toMatchObject({ predictions: null });
  });

  test("since its worker dies of it is given up untouched", async () => {
    bucket.put("a.png", swan);
    const object = toLabel("a.png");
    for (const _ of [1, 2]) await suspect(deps.redis, object.id);
    expect(await label(object, { ...FIRST, crashes: 2, isRepeated: true })).toMatchObject({
      status: "failed",
      error: { code: "inference_failed" },
    });
  });

  test("since the service's own storage is away is tried again for as long as it takes", async () => {
    bucket.put("a.png", swan);
    const storage = { ...deps.storage, put: rejects(new Error("The disk is full.")) };
    await expect(label(toLabel("a.png"), LAST, { storage })).rejects.toThrow("The disk is full.");
  });
});

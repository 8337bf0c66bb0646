import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ObjectRecord } from "../../../shared/contracts/object-record.ts";
import type { ForLabeler } from "../../../shared/contracts/queue-payloads.ts";
import { PermanentError, TransientError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { getLabelerState, putLabeler } from "../../../shared/state/labelers.ts";
import { claimObject, releaseObject } from "../../../shared/state/object-claims.ts";
import { suspect } from "../../../shared/state/suspects.ts";
import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import { labelObject } from "../../../worker/label/label-object.ts";
import { objectHash } from "../../../worker/label/object-record.ts";
import type { ObjectToLabel } from "../../../worker/label/object-to-label.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { killSwitch } from "../../support/kill-switch.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { TEST_DIGEST, raven, swan, testLabelling } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const FIRST = { number: 1, crashes: 0, isRepeated: false, lastTry: false };
const LAST = { number: 5, crashes: 0, isRepeated: true, lastTry: true };
const BUCKET = "photos";
const OTHER_DIGEST = `sha256:${"1".repeat(64)}`;
const SWAN = { index: 0, label: "swan", score: 0.9 };
const RAVEN = { index: 1, label: "raven", score: 0.8 };
const theirs = { key: "project", value: "x" };
const tagsOfLabels = (label: string, score: string) => [
  { key: "tresline.label", value: label },
  { key: "tresline.score", value: score },
  { key: "tresline.labels", value: label },
  { key: "tresline.model", value: "birds@000000000000" },
];

let deps: WorkerTestDeps;
let bucket: FakeBucket;
let labelerId: string;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());
beforeEach(async () => {
  bucket = fakeBucket();
  const made = labelerRecord();
  await putLabeler(deps.redis, made);
  labelerId = made.id;
});

/** An object to label as an event told of it; a run when `mode` says so. */
const toLabel = (
  key: string,
  { etag, ...labeler }: Partial<ForLabeler> & { etag?: string } = {},
): ObjectToLabel => ({
  id: newId("cls"),
  tenant: "default",
  labeler: { id: labelerId, write_back: "tags", on_error: "report", mode: "live", ...labeler },
  bucket: BUCKET,
  key,
  etag,
  topK: 1,
  threshold: 0,
});
const labelling = (more: Partial<ClassifyDeps> = {}, digest = TEST_DIGEST): ClassifyDeps => {
  const { classifyDeps } = testLabelling({ ...deps, ...bucket, ...more }, {});
  return { ...classifyDeps, model: { ...classifyDeps.model, digest } };
};
const label = (object: ObjectToLabel, objectTry = FIRST, more: Partial<ClassifyDeps> = {}) =>
  labelObject(object, objectTry, labelling(more));
async function record(key: string): Promise<ObjectRecord | undefined> {
  const hash = await objectHash({ bucket: BUCKET, key });
  const bytes = await deps.storage.get(storageKeys.objectRecord(labelerId, hash));
  return bytes && ObjectRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
/** Comes again until no other has the object in hand. */
async function labelWhenFree(object: ObjectToLabel): Promise<string> {
  for (;;) {
    const end = await label(object);
    if (end !== "busy") return end.status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const rejects = (error: Error) => async (): Promise<never> => {
  throw error;
};
const counts = async () => (await getLabelerState(deps.redis, "default", labelerId))?.labeler.event_counts;

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

describe("an object that is replaced while it is labelled", () => {
  test("has the labels of what it is in the end", async () => {
    bucket.put("a.png", swan);
    let puts = 0;
    const putTags: ClassifyDeps["labelWriter"]["putTags"] = async (object, tags) => {
      if (++puts === 1) bucket.put("a.png", raven);
      await bucket.labelWriter.putTags(object, tags);
    };
    const more = { labelWriter: { ...bucket.labelWriter, putTags } };
    expect(await label(toLabel("a.png"), FIRST, more)).toMatchObject({ predictions: [RAVEN] });
    expect(bucket.tagsOf("a.png")).toEqual(tagsOfLabels("raven", "0.8"));
    expect(await record("a.png")).toMatchObject({ etag: '"2"', predictions: [RAVEN] });
    expect(await counts()).toMatchObject({ labelled: 1 });
  });

  test("again and again is left for a later try, and fails after the last", async () => {
    bucket.put("a.png", swan);
    const etagOf: ClassifyDeps["buckets"]["etagOf"] = async (object) => {
      const etag = await bucket.buckets.etagOf(object);
      bucket.put("a.png", swan);
      return etag;
    };
    const more = { buckets: { ...bucket.buckets, etagOf } };
    const object = toLabel("a.png");
    const detail = "s3://photos/a.png was replaced 3 times while it was being labelled.";
    await expect(label(object, FIRST, more)).rejects.toThrow(detail);
    expect(await label(object, LAST, more)).toMatchObject({
      status: "failed",
      error: { code: "fetch_failed", detail, retryable: true },
    });
  });
});

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

test("an object that another job has in hand is busy until that lets go of it", async () => {
  bucket.put("a.png", swan);
  const other = { labelerId, object: await objectHash({ bucket: BUCKET, key: "a.png" }), id: newId("cls") };
  await claimObject(deps.redis, other, { isRepeated: false });
  const object = toLabel("a.png");
  expect(await label(object)).toBe("busy");
  await releaseObject(deps.redis, other);
  expect(await label(object)).toMatchObject({ status: "succeeded" });
});

test("of two workers that meet at an object one labels it and the other finds it labelled", async () => {
  bucket.put("a.png", swan);
  const objects = [toLabel("a.png"), toLabel("a.png", { mode: "backfill" })];
  expect((await Promise.all(objects.map(labelWhenFree))).toSorted()).toEqual(["skipped", "succeeded"]);
  expect(bucket.written).toEqual(["tags a.png"]);
});

describe.each([
  ["tags", "live"],
  ["sidecar", "live"],
  ["tags", "backfill"],
] as const)("an object with its labels in %s, %s", (write_back, mode) => {
  test.each(["before", "after"] as const)(
    "comes to the same end when its worker is killed %s any step",
    async (when) => {
      let fatal = 1;
      for (let survived = false; !survived; fatal++) {
        const key = `${fatal}.png`;
        const etag = bucket.put(key, swan);
        const object = toLabel(key, { write_back, mode, ...(mode === "backfill" && { etag }) });
        const kill = killSwitch(fatal, when);
        const first = await label(object, FIRST, {
          redis: kill.lay(deps.redis, ["eval"]),
          storage: kill.lay(deps.storage, ["get", "put"]),
          buckets: kill.lay(bucket.buckets, ["read", "etagOf"]),
          labelWriter: kill.lay(bucket.labelWriter, ["getTags", "putTags", "getSidecar", "putSidecar"]),
        }).catch((error: unknown) => String(error));
        survived = kill.calls() < fatal;
        const end = survived ? first : await label(object, { ...FIRST, crashes: 1, isRepeated: true });
        expect(survived || first === "Error: killed").toBe(true);
        // Only for the line of a run does it matter how the last try ends; an event's job may find that all is done.
        expect([end, mode]).toMatchObject([
          mode === "live" ? {} : { status: "succeeded", predictions: [SWAN] },
          mode,
        ]);
        expect(bucket.written.filter((each) => each.endsWith(` ${key}`))).toEqual([`${write_back} ${key}`]);
        expect(await record(key)).toMatchObject({ id: object.id, etag, predictions: [SWAN] });
        expect(await record(key)).not.toHaveProperty("previous");
        expect(await counts()).toMatchObject({
          labelled: mode === "live" ? fatal : 0,
          failed: 0,
          skipped: 0,
        });
        const claim = { labelerId, object: await objectHash(object), id: newId("cls") };
        expect(await claimObject(deps.redis, claim, { isRepeated: false })).toBe("ours");
      }
      expect(fatal).toBeGreaterThan(7);
    },
  );
});

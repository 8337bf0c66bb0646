import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../../shared/new-id.ts";
import { claimObject, releaseObject } from "../../../shared/state/object-claims.ts";
import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import { objectHash } from "../../../worker/label/object-record.ts";
import type { ObjectToLabel } from "../../../worker/label/object-to-label.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { killSwitch } from "../../support/kill-switch.ts";
import { raven, swan } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import {
  BUCKET,
  FIRST,
  LAST,
  RAVEN,
  SWAN,
  newLabeler,
  objectsToLabel,
  tagsOfLabels,
} from "./objects-to-label.ts";

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

/** Comes again until no other has the object in hand. */
async function labelWhenFree(object: ObjectToLabel): Promise<string> {
  for (;;) {
    const end = await label(object);
    if (end !== "busy") return end.status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

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

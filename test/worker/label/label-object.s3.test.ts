import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Sidecar } from "../../../shared/contracts/sidecar.ts";
import type { ForLabeler } from "../../../shared/contracts/queue-payloads.ts";
import { newId } from "../../../shared/new-id.ts";
import { sidecarKey } from "../../../shared/sidecar-key.ts";
import { openLabelWriter } from "../../../shared/storage/s3-label-writer.ts";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import { labelObject } from "../../../worker/label/label-object.ts";
import { TEST_DIGEST, raven, swan, testLabelling } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const bucket = `story-${Date.now()}`;
const FIRST = { number: 1, crashes: 0, isRepeated: false, lastTry: false };
let client: S3Client;
let deps: WorkerTestDeps;
let classifyDeps: ClassifyDeps;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  deps = await openWorkerDeps();
  const buckets = await openSourceBuckets([bucket], { forcePathStyle: true });
  const labelWriter = await openLabelWriter([bucket], { forcePathStyle: true });
  ({ classifyDeps } = testLabelling({ ...deps, buckets, labelWriter }, {}));
});
afterAll(async () => {
  await Promise.all([classifyDeps.buckets.close(), classifyDeps.labelWriter.close()]);
  await deps.stop();
  client.destroy();
  vi.unstubAllEnvs();
});

const put = async (key: string, body: Uint8Array) =>
  (await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))).ETag;
async function tagsOf(key: string): Promise<Record<string, string | undefined>> {
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key }));
  return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]));
}
async function sidecarOf(key: string) {
  const Key = await sidecarKey(key);
  const { Body, LastModified } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
  const sidecar = Sidecar.parse(JSON.parse((await Body?.transformToString()) ?? ""));
  return { sidecar, writtenAt: LastModified };
}
const labelerId = newId("lbl");
const label = (
  key: string,
  more: Partial<ForLabeler> & { etag?: string | undefined } = {},
  labelWriter = classifyDeps.labelWriter,
) => {
  const { etag, ...labeler } = more;
  return labelObject(
    {
      id: newId("cls"),
      tenant: "default",
      labeler: { id: labelerId, write_back: "tags", on_error: "write_back", mode: "live", ...labeler },
      bucket,
      key,
      etag,
      topK: 2,
      threshold: 0,
    },
    FIRST,
    { ...classifyDeps, labelWriter },
  );
};

const refused = () => Promise.reject(new Error("written again"));
const SWAN_TAGS = {
  "tresline.label": "swan",
  "tresline.score": "0.9",
  "tresline.labels": "swan/raven",
  "tresline.model": "birds@000000000000",
};

test.each(["plain.png", "a b+c.png", "é%20'\".png", "/leading//slash.png", "é".repeat(512)])(
  "an object is labelled in its tags and in a sidecar, whatever its key: %s",
  async (key) => {
    const etag = await put(key, swan);
    expect(await label(key)).toMatchObject({ status: "succeeded", etag });
    expect(await tagsOf(key)).toEqual(SWAN_TAGS);
    const other = { id: newId("lbl"), write_back: "sidecar", mode: "backfill", etag } as const;
    expect(await label(key, other)).toMatchObject({ status: "succeeded", etag });
    expect((await sidecarOf(key)).sidecar).toEqual({
      key,
      etag,
      model: "birds",
      model_digest: TEST_DIGEST,
      predictions: [
        { index: 0, label: "swan", score: 0.9 },
        { index: 1, label: "raven", score: 0.1 },
      ],
      error: null,
    });
    expect(await label(key, other)).toEqual({ status: "skipped", etag });
  },
);

test("tags of others are kept when labels are written and when they are replaced", async () => {
  const TagSet = [
    { Key: "project", Value: "birds" },
    { Key: "tresline.owner", Value: "me" },
    { Key: "tresline.error", Value: "invalid_image" },
  ];
  await put("shared.png", swan);
  await client.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: "shared.png", Tagging: { TagSet } }));
  await label("shared.png");
  expect(await tagsOf("shared.png")).toEqual({ project: "birds", "tresline.owner": "me", ...SWAN_TAGS });
});

test("an object that is replaced before its tags are written has those of what replaced it", async () => {
  await put("replaced.png", swan);
  let etag: string | undefined;
  const labelWriter: ClassifyDeps["labelWriter"] = {
    ...classifyDeps.labelWriter,
    async putTags(object, tags) {
      etag ??= await put("replaced.png", raven);
      await classifyDeps.labelWriter.putTags(object, tags);
    },
  };
  const end = await label("replaced.png", {}, labelWriter);
  expect(end).toMatchObject({ status: "succeeded", etag, predictions: [{ label: "raven" }, {}] });
  expect(await tagsOf("replaced.png")).toMatchObject({ "tresline.labels": "raven/swan" });
});

test("an object that cannot be labelled is marked, and labelled once it can be", async () => {
  await put("text.png", Buffer.from("no image"));
  expect(await label("text.png")).toMatchObject({ status: "failed", error: { code: "invalid_image" } });
  expect(await tagsOf("text.png")).toEqual({ "tresline.error": "invalid_image" });
  await put("text.png", swan);
  await label("text.png");
  expect(await tagsOf("text.png")).toEqual(SWAN_TAGS);
});

test("a sidecar that says the same already is not written again", async () => {
  const etag = await put("same.png", swan);
  const sidecar = { write_back: "sidecar", mode: "backfill", etag } as const;
  await label("same.png", sidecar);
  const { writtenAt } = await sidecarOf("same.png");
  const other = { ...sidecar, id: newId("lbl") };
  const end = await label("same.png", other, { ...classifyDeps.labelWriter, putSidecar: refused });
  expect(end).toMatchObject({ status: "succeeded" });
  expect((await sidecarOf("same.png")).writtenAt).toEqual(writtenAt);
});

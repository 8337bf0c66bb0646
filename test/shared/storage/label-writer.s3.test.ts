import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import type { LabelWriter } from "../../../shared/storage/label-writer.ts";
import { openLabelWriter } from "../../../shared/storage/s3-label-writer.ts";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import { sidecarKey } from "../../../shared/sidecar-key.ts";
import { ObjectChangedError, ObjectGoneError } from "../../../shared/storage/source-buckets.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const { endpoint } = inject("s3");
const bucket = `labelled-${Date.now()}`;
const forbidden = `${bucket}-forbidden`;
const LIMIT = { maxBytes: 2_000 };
let client: S3Client;
let writer: LabelWriter;
let buckets: SourceBuckets;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket, forbidden);
  writer = await openLabelWriter([bucket, forbidden, "no-such-bucket"], { forcePathStyle: true });
  buckets = await openSourceBuckets([bucket, forbidden], { forcePathStyle: true });
});
afterAll(async () => {
  await Promise.all([writer.close(), buckets.close()]);
  client.destroy();
  vi.unstubAllEnvs();
});

const put = async (key: string, body: string, Bucket = bucket) =>
  client.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
const bodyOf = async (key: string) => {
  const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { text: await Body?.transformToString(), type: ContentType };
};
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const failureOf = (work: () => Promise<unknown>) => work().catch((error: unknown) => error);
const TAGS = [
  { key: "tresline.label", value: "naïve 日本 +-=._:/@" },
  { key: "project", value: "" },
];

test.each([
  ["a space", "a space.png"],
  ["a plus", "a+b.png"],
  ["an accent", "é.png"],
  ["quotes", `quote'".png`],
  ["a percent sign", "100%25%.png"],
  ["a question mark and a number sign", "what?#.png"],
  ["no letters at all", "日本/🦊"],
  ["1024 bytes", "é".repeat(510) + ".png"],
  ["a slash at its beginning", "/leading.png"],
  ["slashes at its beginning", "//leading.png"],
  ["two slashes", "double//slash.png"],
  ["nothing but slashes", "//"],
  ["a slash at its end", "folder/"],
  ["dots", "dots/../a/./b.png"],
])("an object whose key has %s is found, read, tagged and given a sidecar", async (what, key) => {
  await put(key, what);
  const object = { bucket, key };
  const etag = await buckets.etagOf(object);
  expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
  expect(textOf(await buckets.read({ ...object, etag }, LIMIT))).toBe(what);

  expect(await writer.getTags(object)).toEqual([]);
  await writer.putTags(object, TAGS);
  expect(await writer.getTags(object)).toEqual(expect.arrayContaining(TAGS));
  const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key }));
  expect(TagSet).toHaveLength(TAGS.length);

  expect(await writer.getSidecar(object, LIMIT)).toBeUndefined();
  const json = JSON.stringify({ key });
  await writer.putSidecar(object, json);
  expect(textOf(await writer.getSidecar(object, LIMIT))).toBe(json);
  expect(await bodyOf(await sidecarKey(key))).toEqual({ text: json, type: "application/json" });
  expect(await buckets.etagOf(object)).toBe(etag);
});

test("a tag's value may have 256 bytes, and an object ten tags", async () => {
  await put("tags.png", "x");
  const tags = Array.from({ length: 10 }, (_, i) => ({ key: `k${i}`, value: "é".repeat(128) }));
  await writer.putTags({ bucket, key: "tags.png" }, tags);
  expect(await writer.getTags({ bucket, key: "tags.png" })).toEqual(tags);
});

test("a version that is no longer there is told from an object that is not there", async () => {
  await put("replaced.png", "old");
  const etag = await buckets.etagOf({ bucket, key: "replaced.png" });
  await put("replaced.png", "new");
  const replaced = { bucket, key: "replaced.png" };
  expect(await failureOf(() => buckets.read({ ...replaced, etag }, LIMIT))).toBeInstanceOf(
    ObjectChangedError,
  );
  expect(textOf(await buckets.read(replaced, LIMIT))).toBe("new");
  const gone = { bucket, key: "gone.png" };
  for (const work of [
    () => buckets.etagOf(gone),
    () => buckets.read({ ...gone, etag }, LIMIT),
    () => buckets.read(gone, LIMIT),
    () => writer.getTags(gone),
    () => writer.putTags(gone, TAGS),
  ])
    expect(await failureOf(work)).toBeInstanceOf(ObjectGoneError);
});

test("a sidecar that is larger than it may be is not read", async () => {
  await put("large.png", "x");
  await writer.putSidecar({ bucket, key: "large.png" }, "x".repeat(2_001));
  expect(await writer.getSidecar({ bucket, key: "large.png" }, LIMIT)).toBeUndefined();
});

test("what is forbidden fails for ever and names the permission that is missing", async () => {
  await put("a.png", "x", forbidden);
  await put("a.png.tresline.json", "{}", forbidden);
  const Statement = ["GetObjectTagging", "PutObjectTagging", "PutObject", "GetObject"].map((action) => ({
    Effect: "Deny",
    Principal: "*",
    Action: `s3:${action}`,
    Resource: `arn:aws:s3:::${forbidden}/*`,
  }));
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: forbidden, Policy }));
  const object = { bucket: forbidden, key: "a.png" };
  const what = `s3://${forbidden}/a.png`;
  for (const [work, sentence] of [
    [() => writer.getTags(object), `The tags of ${what} cannot be read: S3 answered 403, AccessDenied.`],
    [
      () => writer.putTags(object, TAGS),
      `The tags of ${what} cannot be written: S3 answered 403, AccessDenied.`,
    ],
    [
      () => writer.putSidecar(object, "{}"),
      `${what}.tresline.json cannot be written: S3 answered 403, AccessDenied.`,
    ],
    [
      () => writer.getSidecar(object, LIMIT),
      `${what}.tresline.json cannot be read: S3 answered 403, AccessDenied.`,
    ],
    [() => buckets.read(object, LIMIT), `${what} cannot be read: S3 answered 403, AccessDenied.`],
  ] as const)
    expect(await failureOf(work)).toMatchObject({
      name: "PermanentError",
      code: "fetch_forbidden",
      message: expect.stringContaining(sentence),
    });
  expect(String(await failureOf(() => writer.putTags(object, TAGS)))).toContain(
    "The worker's credentials need the permission s3:PutObjectTagging.",
  );
  expect(await failureOf(() => buckets.etagOf(object))).toMatchObject({ code: "fetch_forbidden" });
});

test("a bucket that is not allowed is never asked for, and one that is not there fails for ever", async () => {
  const object = { bucket: "private", key: "a.png" };
  for (const work of [
    () => writer.getTags(object),
    () => writer.putTags(object, []),
    () => writer.getSidecar(object, LIMIT),
    () => writer.putSidecar(object, "{}"),
  ])
    expect(await failureOf(work)).toMatchObject({
      code: "fetch_forbidden",
      message: expect.stringContaining("it is not among S3_SOURCE_BUCKETS"),
    });
  const error = await failureOf(() => writer.putSidecar({ bucket: "no-such-bucket", key: "a.png" }, "{}"));
  expect(error).toMatchObject({ name: "PermanentError", code: "fetch_failed" });
  expect(error).not.toBeInstanceOf(ObjectGoneError);
});

test("a server that is away may be there the next time", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
  const away = await openLabelWriter([bucket], { forcePathStyle: true });
  expect(await failureOf(() => away.putTags({ bucket, key: "a.png" }, []))).toMatchObject({ name: "Error" });
  vi.stubEnv("AWS_ENDPOINT_URL_S3", endpoint);
  await away.close();
});

import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const { endpoint, secretAccessKey } = inject("s3");
const bucket = `source-${Date.now()}`;
const LIMIT = { maxBytes: 1_000 };
let client: S3Client;
let buckets: SourceBuckets;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  buckets = await openSourceBuckets([bucket, "no-such-bucket"], { forcePathStyle: true });
});
afterAll(async () => {
  await buckets.close();
  client.destroy();
  vi.unstubAllEnvs();
});

const put = async (key: string, body: string | Uint8Array) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);

const ODD = [
  "a space.png",
  "plus+and%25.png",
  "é.png",
  `quote'".png`,
  "/leading.png",
  "double//slash.png",
  "dots/../a.png",
  "日本/🦊.png",
];

test("objects with odd keys are listed and read as they are called", async () => {
  for (const key of ODD) await put(`odd/${key}`, key);
  await put("/first", "of all");
  const { objects, isLast } = await buckets.list(bucket, "odd/", { after: "", limit: 1000 });
  expect(isLast).toBe(true);
  expect(objects.map(({ key }) => key).toSorted()).toEqual(ODD.map((key) => `odd/${key}`).toSorted());
  for (const key of ODD) expect(textOf(await buckets.read({ bucket, key: `odd/${key}` }, LIMIT))).toBe(key);
  expect(textOf(await buckets.read({ bucket, key: "/first" }, LIMIT))).toBe("of all");
});

test("a listing goes on after a key, tells sizes and versions, and says when nothing is left", async () => {
  const keys = ["page/a", "page/b+", "page/c", "page/é"];
  for (const key of keys) await put(key, "x");
  const seen: string[] = [];
  for (let isLast = false; !isLast;) {
    const page = await buckets.list(bucket, "page/", { after: seen.at(-1) ?? "", limit: 1 });
    for (const { key, size, etag } of page.objects) {
      const object = await buckets.open({ bucket, key }, { from: 0 });
      await object.stream.cancel();
      expect({ size, etag }).toEqual({ size: 1, etag: object.etag });
      seen.push(key);
    }
    isLast = page.isLast;
  }
  expect(seen).toEqual(keys);
});

test("an object of the most bytes allowed is read, one byte more is too large for ever", async () => {
  await put("size", new Uint8Array(1_000));
  expect(await buckets.read({ bucket, key: "size" }, LIMIT)).toHaveLength(1_000);
  expect(await failureOf(buckets.read({ bucket, key: "size" }, { maxBytes: 999 }))).toMatchObject({
    name: "PermanentError",
    code: "image_too_large",
  });
});

test("what is not there fails for ever, and says what was asked for", async () => {
  for (const object of [
    { bucket, key: "nothing" },
    { bucket, key: "size", version_id: "nonsense" },
    { bucket: "no-such-bucket", key: "size" },
  ]) {
    const error = await failureOf(buckets.read(object, LIMIT));
    expect(error).toMatchObject({ name: "PermanentError", code: "fetch_failed" });
    expect(String(error)).toContain(`s3://${object.bucket}/${object.key} cannot be read: S3 answered 4`);
  }
});

test("an older version is read when it is asked for", async () => {
  const Bucket = `${bucket}-versions`;
  const versioned = await openSourceBuckets([Bucket], { forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const first = await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "old" }));
  await client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "new" }));
  const version_id = first.VersionId ?? "";
  expect(textOf(await versioned.read({ bucket: Bucket, key: "a", version_id }, LIMIT))).toBe("old");
  expect(textOf(await versioned.read({ bucket: Bucket, key: "a" }, LIMIT))).toBe("new");
  await versioned.close();
});

test("an object is read on from a byte of the very version that was begun", async () => {
  await put("ranged", "0123456789");
  const begun = await buckets.open({ bucket, key: "ranged" }, { from: 0 });
  expect(await new Response(begun.stream).text()).toBe("0123456789");
  const { etag } = begun;
  const rest = await buckets.open({ bucket, key: "ranged" }, { from: 7, etag });
  expect(await new Response(rest.stream).text()).toBe("789");
  await put("ranged", "another one");
  expect(await failureOf(buckets.open({ bucket, key: "ranged" }, { from: 7, etag }))).toMatchObject({
    name: "PermanentError",
    message: `s3://${bucket}/ranged was replaced by another while it was read.`,
  });
});

test("a bucket that is not allowed is never asked for", async () => {
  const none = await openSourceBuckets([], { forcePathStyle: true });
  for (const work of [
    none.read({ bucket, key: "size" }, LIMIT),
    none.open({ bucket, key: "size" }, { from: 0 }),
    none.list(bucket, "", { after: "", limit: 1 }),
  ])
    expect(await failureOf(work)).toMatchObject({ name: "PermanentError", code: "fetch_forbidden" });
  expect(() => none.mustAllow(bucket)).toThrow(`The bucket "${bucket}" may not be read`);
  buckets.mustAllow(bucket);
});

test("a server that refuses the keys cannot be helped by trying again; one that is away can", async () => {
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong");
  const refused = await openSourceBuckets([bucket], { forcePathStyle: true });
  expect(await failureOf(refused.read({ bucket, key: "size" }, LIMIT))).toMatchObject({
    name: "PermanentError",
    message: `s3://${bucket}/size cannot be read: S3 answered 403, SignatureDoesNotMatch.`,
  });
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  vi.stubEnv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
  const away = await openSourceBuckets([bucket], { forcePathStyle: true });
  const error = await failureOf(away.read({ bucket, key: "size" }, LIMIT));
  expect(error).toMatchObject({ name: "Error" });
  expect(String(error)).toContain("ECONNREFUSED");
  vi.stubEnv("AWS_ENDPOINT_URL_S3", endpoint);
  await Promise.all([refused.close(), away.close()]);
});

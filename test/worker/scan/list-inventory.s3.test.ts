import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { BatchSource, ListedItem } from "../../../shared/contracts/queue-payloads.ts";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import type { ScanCursor } from "../../../shared/state/batches.ts";
import { listInventory } from "../../../worker/scan/list-inventory.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

/** Of the reports, and of the images they are of. */
const bucket = `reports-${Date.now()}`;
const photos = `photos-${Date.now()}`;
const START: ScanCursor = { chunks: 0, items: 0, position: "" };
let client: S3Client;
let buckets: SourceBuckets;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  buckets = await openSourceBuckets([bucket, photos], { forcePathStyle: true });
});
afterAll(async () => {
  await buckets.close();
  client.destroy();
  vi.unstubAllEnvs();
});

const put = async (key: string, body: string | Uint8Array) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));

const SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";
const manifestOf = (keys: string[], more: object = {}) =>
  JSON.stringify({
    sourceBucket: photos,
    destinationBucket: `arn:aws:s3:::${bucket}`,
    version: "2016-11-30",
    creationTimestamp: "1514944800000",
    fileFormat: "CSV",
    fileSchema: SCHEMA,
    files: keys.map((key) => ({ key, size: 1, MD5checksum: "f11166069f1990abeb9c97ace9cdfabc" })),
    ...more,
  });

interface Row {
  key: string;
  latest?: boolean;
  deleted?: boolean;
  size?: number | "";
}
/** A line as AWS writes it: quoted, the key encoded like a form's. */
const line = ({ key, latest = true, deleted = false, size = 9 }: Row) =>
  [photos, encoded(key), "v1", latest, deleted, size, "2026-11-22T00:00:00.000Z", etagOf(key), "STANDARD"]
    .map((field) => `"${field}"`)
    .join(",");
const encoded = (key: string) => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
const etagOf = (key: string) => `${key.length}`.padStart(32, "0");
const item = (key: string): ListedItem => ({
  custom_id: key,
  image: { type: "s3", bucket: photos, key, etag: `"${etagOf(key)}"` },
});

/** Puts a report of these files of lines, and tells the source that reads it. */
async function report(
  name: string,
  files: string[][],
  more: object = {},
): Promise<BatchSource & { type: "inventory" }> {
  const keys = files.map((_, i) => `${name}/data/${i}.csv.gz`);
  for (const [i, lines] of files.entries())
    await put(keys[i] ?? "", gzipSync(lines.map((text) => `${text}\n`).join("")));
  await put(`${name}/manifest.json`, manifestOf(keys, more));
  return { type: "inventory", bucket, key: `${name}/manifest.json`, prefix: "" };
}

async function inOneGo(source: BatchSource & { type: "inventory" }, cursor = START, pageItems = 7) {
  const all: ListedItem[] = [];
  for await (const { items } of listInventory(source, cursor, pageItems, buckets)) all.push(...items);
  return all;
}
/** All items, by a reader that is gone after each page. */
async function byMany(source: BatchSource & { type: "inventory" }, pageItems = 7) {
  const all: ListedItem[] = [];
  for (let cursor = START; ;) {
    const pages = listInventory(source, cursor, pageItems, buckets);
    const page = (await pages.next()).value;
    await pages.return();
    if (!page) return all;
    expect(page.items.length).toBeGreaterThan(0);
    expect(page.items.length).toBeLessThanOrEqual(pageItems);
    all.push(...page.items);
    cursor = { chunks: 0, items: all.length, position: page.position };
  }
}

test("keys are as the objects are called, whatever is in them", async () => {
  const keys = ["a b.png", "a+b%20.png", "é/日本 🦢.png", 'a, "b".png', "/leading.png", "100%.png"];
  const source = await report("odd", [keys.map((key) => line({ key }))]);
  expect(await inOneGo(source)).toEqual(keys.map(item));
});

test("of several files all are listed, the same by readers that each start over and by one", async () => {
  const keys = Array.from({ length: 50 }, (_, i) => `n/${i}.png`);
  const lines = keys.map((key) => line({ key }));
  const source = await report("several", [lines.slice(0, 20), [], lines.slice(20, 21), lines.slice(21)]);
  expect(await inOneGo(source)).toEqual(keys.map(item));
  expect(await byMany(source)).toEqual(keys.map(item));
  expect(await byMany(source, 10)).toEqual(keys.map(item));
  expect(await inOneGo(await report("none", []))).toEqual([]);
});

test("earlier versions, delete markers, folders, what Tresline wrote and what is not asked for are left out", async () => {
  const rows: Row[] = [
    { key: "in/1.png" },
    { key: "in/2.png", latest: false },
    { key: "in/3.png", deleted: true, size: "" },
    { key: "in/folder.png/", size: 0 },
    { key: "in/1.png.tresline.json" },
    { key: "in/.tresline/4.png" },
    { key: "in/5.jpg" },
    { key: "in/6.txt" },
    { key: "out/7.png" },
  ];
  const source = await report("some", [rows.map(line)]);
  const asked = { ...source, prefix: "in/", suffixes: [".png", ".jpg", "/", ".json"], of_bucket: photos };
  expect(await inOneGo(asked)).toEqual(["in/1.png", "in/5.jpg"].map(item));
  expect(await byMany(asked, 1)).toEqual(["in/1.png", "in/5.jpg"].map(item));
});

test("an inventory of present versions alone with no more than their keys is enough", async () => {
  const source = await report("least", [[`"${photos}","a+b.png"`]], { fileSchema: "Bucket, Key" });
  expect(await inOneGo(source)).toEqual([
    { custom_id: "a b.png", image: { type: "s3", bucket: photos, key: "a b.png" } },
  ]);
});

test("a line that is not understood is an item that tells its fault, and the others are listed", async () => {
  const good = line({ key: "1.png" });
  const bad = [`"${photos}","2.png"`, good.replace("1.png", "%E9.png"), good.replace("1.png", ""), '"'];
  const source = await report("bad", [[good], [...bad, good]]);
  expect(await inOneGo(source)).toEqual([
    item("1.png"),
    ...[
      "is not CSV of the 9 columns that the manifest names",
      ...Array<string>(2).fill("has a key that is not URL-encoded UTF-8"),
    ].map((reason, i) => ({
      custom_id: `file 2, line ${i + 1}`,
      fault: `The inventory's file 2, line ${i + 1} ${reason}.`,
    })),
    {
      custom_id: "file 2, line 4",
      fault: "The inventory's file 2, line 4 is not CSV of the 9 columns that the manifest names.",
    },
    item("1.png"),
  ]);
});

test("a report that can never be listed says why and what to do", async () => {
  const lines = [line({ key: "1.png" })];
  const damaged = await report("damaged", [Array.from({ length: 500 }, (_, i) => line({ key: `${i}` }))]);
  await put("damaged/data/0.csv.gz", gzipSync(lines.join("\n")).subarray(0, 40));
  const gone = await report("gone", [lines], { files: [{ key: "gone/data/7.csv.gz" }] });
  await put("text/manifest.json", "not JSON");
  await put("other/manifest.json", JSON.stringify({ files: [] }));
  const named = (name: string) => ({ ...gone, key: `${name}/manifest.json` });
  const cases: [BatchSource & { type: "inventory" }, string, string][] = [
    [
      named("nothing"),
      "fetch_failed",
      `s3://${bucket}/nothing/manifest.json cannot be read: S3 answered 404, NoSuchKey.`,
    ],
    [
      named("text"),
      "unsupported_media_type",
      "is not the manifest.json of an S3 Inventory report: it is not valid JSON.",
    ],
    [
      named("other"),
      "unsupported_media_type",
      "is not the manifest.json of an S3 Inventory report: sourceBucket: ",
    ],
    [gone, "fetch_failed", `s3://${bucket}/gone/data/7.csv.gz cannot be read: S3 answered 404, NoSuchKey.`],
    [damaged, "fetch_failed", `The gzip data of s3://${bucket}/damaged/data/0.csv.gz is damaged.`],
    [
      await report("orc", [], { fileFormat: "ORC", fileSchema: "struct<bucket:string>" }),
      "unsupported_media_type",
      "is in ORC: configure CSV as its output format.",
    ],
    [
      await report("keyless", [], { fileSchema: "Bucket, Size" }),
      "unsupported_media_type",
      'has no column Key; its fileSchema is "Bucket, Size".',
    ],
    [
      await report("versions", [], { fileSchema: "Bucket, Key, VersionId" }),
      "unsupported_media_type",
      "lists all versions without a column IsLatest to tell the present.",
    ],
    [
      await report("forbidden", [lines], { sourceBucket: "secrets" }),
      "fetch_forbidden",
      'The bucket "secrets" may not be read: it is not among S3_SOURCE_BUCKETS',
    ],
    [{ ...named("nothing"), bucket: "secrets" }, "fetch_forbidden", 'The bucket "secrets" may not be read'],
    [
      { ...(await report("mine", [lines])), of_bucket: "others" },
      "invalid_request",
      `The inventory mine/manifest.json is of the bucket "${photos}", and objects of "others" are asked for.`,
    ],
  ];
  for (const [source, code, message] of cases) {
    const failed: unknown = await inOneGo(source).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: "PermanentError", code });
    expect(String(failed)).toContain(message);
  }
});

test("a manifest or a file that is replaced on the way can never be listed to its end", async () => {
  const lines = Array.from({ length: 20 }, (_, i) => line({ key: `${i}.png` }));
  for (const replaced of ["manifest.json", "data/0.csv.gz"]) {
    const source = await report("replaced", [lines]);
    const pages = listInventory(source, START, 7, buckets);
    const first = (await pages.next()).value;
    await pages.return();
    await put(`replaced/${replaced}`, gzipSync("another"));
    const cursor = { chunks: 1, items: 7, position: first?.position ?? "" };
    await expect(inOneGo(source, cursor)).rejects.toThrow(
      `s3://${bucket}/replaced/${replaced} was replaced by another while it was read.`,
    );
  }
});

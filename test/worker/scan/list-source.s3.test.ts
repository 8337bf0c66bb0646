import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { BatchSource, ListedItem } from "../../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../../shared/state/batches.ts";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import { listSource } from "../../../worker/scan/list-source.ts";
import type { Page } from "../../../worker/scan/page.ts";
import { batchRecord } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const bucket = `listed-${Date.now()}`;
const START: ScanCursor = { chunks: 0, items: 0, position: "" };
let client: S3Client;
let buckets: SourceBuckets;
let deps: WorkerTestDeps;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  buckets = await openSourceBuckets([bucket], { forcePathStyle: true });
  deps = await openWorkerDeps();
});
afterAll(async () => {
  await deps.stop();
  await buckets.close();
  client.destroy();
  vi.unstubAllEnvs();
});

const put = async (key: string, body: string | Uint8Array) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
const open = (source: BatchSource) => {
  const record = batchRecord({ source });
  return (cursor: ScanCursor) => listSource(record, cursor, { ...deps, buckets });
};
const after = ({ items, position }: Page, cursor: ScanCursor): ScanCursor => ({
  chunks: cursor.chunks + Math.ceil(items.length / 64),
  items: cursor.items + items.length,
  position,
});
/** As S3 makes it of an object that was put in one piece. */
const etagOf = (body: string) => `"${createHash("md5").update(body).digest("hex")}"`;
/** All items, by a reader that starts over after each page. */
async function listed(list: ReturnType<typeof open>): Promise<ListedItem[]> {
  const items: ListedItem[] = [];
  for (let cursor = START; ;) {
    const pages = list(cursor);
    const page = (await pages.next()).value;
    await pages.return();
    if (!page) return items;
    items.push(...page.items);
    cursor = after(page, cursor);
  }
}
async function inOneGo(list: ReturnType<typeof open>, cursor = START): Promise<ListedItem[]> {
  const all: ListedItem[] = [];
  for await (const { items } of list(cursor)) all.push(...items);
  return all;
}

const manifest = (key: string): BatchSource => ({ type: "manifest", bucket, key });
const TOTAL = 2_500;
/** Of twenty lines one is bad. */
const isBad = (i: number) => i % 20 === 19;
const jsonLine = (i: number) =>
  isBad(i)
    ? `{"custom_id": "n-${i}"`
    : JSON.stringify({ custom_id: `n-${i}`, image: { s3: { bucket, key: `é ${i}` } } });
const jsonItems = Array.from({ length: TOTAL }, (_, i) =>
  isBad(i)
    ? { custom_id: `line ${i + 1}`, fault: `Line ${i + 1} of the manifest is not valid JSON.` }
    : { custom_id: `n-${i}`, image: { type: "s3", bucket, key: `é ${i}` } },
);
const jsonLines = Array.from({ length: TOTAL }, (_, i) => jsonLine(i)).join("\n");

test("a manifest of JSON lines, of which one in twenty is bad, gives an item for each line, packed or not", async () => {
  await put("plain.jsonl", jsonLines);
  await put("packed.dat", gzipSync(`${jsonLines}\n`));
  for (const key of ["plain.jsonl", "packed.dat"]) {
    const list = open(manifest(key));
    expect(await inOneGo(list)).toEqual(jsonItems);
    expect(await listed(list), "by readers that each start over").toEqual(jsonItems);
  }
});

/** A field of CSV, quoted when it has to be. */
const field = (key: string) => (/[",]/.test(key) ? `"${key.replaceAll('"', '""')}"` : key);

test("a manifest of CSV names its objects as they are called", async () => {
  const keys = ["a b.png", "a+b%20.png", "é.png", `a, "b".png`, "/leading.png"];
  await put("list.csv", `bucket,key\r\n${keys.map((key) => `${bucket},${field(key)}\r\n`).join("")}`);
  expect(await listed(open(manifest("list.csv")))).toEqual(
    keys.map((key) => ({ custom_id: `s3://${bucket}/${key}`, image: { type: "s3", bucket, key } })),
  );
});

test("an empty manifest has no items", async () => {
  await put("blank", "\n\n");
  expect(await listed(open(manifest("blank")))).toEqual([]);
});

test("a manifest that is not there, is damaged or is replaced on the way can never be listed", async () => {
  await put("damaged", gzipSync(jsonLines).subarray(0, 3_000));
  await put("replaced", jsonLines);
  const list = open(manifest("replaced"));
  const pages = list(START);
  const first = (await pages.next()).value;
  await pages.return();
  await put("replaced", `${jsonLines}\n`);
  const failures = [
    [open(manifest("nothing")), START, `s3://${bucket}/nothing cannot be read: S3 answered 404, NoSuchKey.`],
    [open(manifest("damaged")), START, `The gzip data of s3://${bucket}/damaged is damaged.`],
    [list, first ? after(first, START) : START, "was replaced by another while it was read"],
  ] as const;
  for (const [going, from, message] of failures) {
    const failed: unknown = await inOneGo(going, from).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: "PermanentError", code: "fetch_failed" });
    expect(String(failed)).toContain(message);
  }
});

test("of the objects under a prefix those with a suffix are listed, a page of them the same whatever has come since", async () => {
  const names = Array.from(
    { length: 1_100 },
    (_, i) => `many/${String(i).padStart(4, "0")} é+'".${i % 2 ? "png" : "txt"}`,
  );
  for (let i = 0; i < names.length; i += 100)
    await Promise.all(names.slice(i, i + 100).map((key) => put(key, "x")));
  await put("many/folder.png/", "");
  const own = ["many/0001.png.tresline.json", "many/.tresline/0002.png"];
  await Promise.all(own.map((key) => put(key, "{}")));
  const wanted = names.filter((key) => key.endsWith(".png"));
  const list = open({ type: "prefix", bucket, prefix: "many/", suffixes: [".png", ".PNG", "/", ".json"] });
  const pages = list(START);
  const first = (await pages.next()).value;
  await pages.return();
  await put("many/0000 has come since.png", "x");
  const items = await listed(list);
  expect(items.slice(0, first?.items.length)).toEqual(first?.items);
  expect(items).toEqual(
    wanted.map((key) => ({ custom_id: key, image: { type: "s3", bucket, key, etag: etagOf("x") } })),
  );
  expect(await inOneGo(open({ type: "prefix", bucket, prefix: "none/" }))).toEqual([]);
});

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { makeBuckets, s3Environment } from "../support/test-s3.ts";

const bucket = `pipe-${Date.now()}`;
const photos = `photos-${Date.now()}`;
let s3: S3Client;
const dataDir = mkdtempSync(join(tmpdir(), "tresline-s3-"));
let tresline: Tresline;

beforeAll(async () => {
  s3 = await makeBuckets(bucket, photos);
  const env = {
    ...process.env,
    ...s3Environment(),
    PORT: "0",
    STORAGE_URL: `s3://${bucket}/tresline`,
    S3_SOURCE_BUCKETS: photos,
  };
  tresline = await startTresline({ DATA_DIR: dataDir }, env, () => {});
});

afterAll(async () => {
  await tresline?.stop();
  s3?.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

const ask = async (
  path: string,
  {
    headers,
    ...init
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer<ArrayBuffer> } = {},
) => {
  const authorization = `Bearer ${tresline.apiKey}`;
  const response = await fetch(tresline.url + path, { ...init, headers: { authorization, ...headers } });
  return { status: response.status, text: await response.text() };
};

const sample = (name: string) => readFileSync(join("worker/model/demo/figures/samples", name));
const keysUnder = async (prefix: string) => {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key ?? "");
};

test("an image sent to a service whose storage is S3 is labelled, and its result is in the bucket", async () => {
  const headers = { "content-type": "image/png", prefer: "wait=30" };
  const { status, text } = await ask("/v1/classifications", {
    method: "POST",
    headers,
    body: sample("bar_chart_06.png"),
  });
  expect(status).toBe(200);
  const { id, predictions } = Classification.parse(JSON.parse(text));
  expect(predictions?.[0]?.label).toBe("bar_chart");
  expect(await keysUnder("tresline/results/default/")).toEqual([expect.stringContaining(`${id}.json`)]);
  expect(JSON.parse((await ask(`/v1/classifications/${id}`)).text)).toEqual(JSON.parse(text));
});

const put = (key: string, body: string | Buffer) =>
  s3.send(new PutObjectCommand({ Bucket: photos, Key: key, Body: body }));
/** A batch once it is completed, and its results. */
async function completed(body: object): Promise<Batch & { results: BatchResult[] }> {
  const headers = { "content-type": "application/json" };
  const created = await ask("/v1/batches", { method: "POST", headers, body: JSON.stringify(body) });
  const { id } = Batch.parse(JSON.parse(created.text));
  const get = async () => Batch.parse(JSON.parse((await ask(`/v1/batches/${id}`)).text));
  await expect.poll(async () => (await get()).status, { timeout: 60_000 }).toBe("completed");
  const { text } = await ask(`/v1/batches/${id}/results`);
  const lines = text.trimEnd().split("\n");
  return { ...(await get()), results: lines.map((line) => BatchResult.parse(JSON.parse(line))) };
}

test("a batch's parts, results and manifest are in the bucket", async () => {
  const items = ["table_00.webp", "qr_code_08.png", "photo"].map((name) => {
    const bytes = name === "photo" ? Buffer.from("no picture") : sample(name);
    return { custom_id: name, image: { data: `data:image/png;base64,${bytes.toString("base64")}` } };
  });
  const { id, results } = await completed({ items });
  expect(results.map(({ predictions, error }) => predictions?.[0]?.label ?? error?.code)).toEqual([
    "table",
    "qr_code",
    "invalid_image",
  ]);
  const names = (await keysUnder(`tresline/batches/${id}/`)).map((key) => key.split("/").slice(3).join("/"));
  expect(names).toEqual([
    "errors.jsonl",
    "items.jsonl",
    "manifest.json",
    "parts/00000000.jsonl",
    "results.jsonl",
  ]);
});

const NAMES = ["a b", "a+b", "é", `"quoted'`, "/leading"];
const PICTURES = ["table_00.webp", "qr_code_08.png", "bar_chart_06.png"].map((name) => ({
  body: sample(name),
  label: name.replace(/_\d.*/, ""),
}));
/** What lies in the bucket: 300 pictures under odd keys, of which each tenth is none. */
const objects = Array.from({ length: 300 }, (_, i) => {
  const picture = PICTURES[i % PICTURES.length];
  const isBroken = i % 10 === 9;
  return {
    key: `/in/${NAMES[i % NAMES.length]}/${String(i).padStart(3, "0")}.png`,
    body: isBroken || !picture ? "no picture" : picture.body,
    outcome: isBroken ? "invalid_image" : picture?.label,
  };
});
const outcomeOf = ({ predictions, error }: BatchResult) => predictions?.[0]?.label ?? error?.code;

test("all pictures under a prefix are labelled, whatever their keys, and the broken ones fail alone", async () => {
  for (let i = 0; i < objects.length; i += 20)
    await Promise.all(objects.slice(i, i + 20).map(({ key, body }) => put(key, body)));
  await put("/in/not-wanted.txt", "no picture");
  const { results, request_counts } = await completed({
    prefix: { bucket: photos, prefix: "/in/", suffixes: [".png"] },
    top_k: 1,
  });
  expect(request_counts).toEqual({ total: 300, succeeded: 270, failed: 30, canceled: 0 });
  expect(results).toHaveLength(objects.length);
  const outcomes = new Map(results.map((result) => [result.custom_id, outcomeOf(result)]));
  expect(outcomes).toEqual(new Map(objects.map(({ key, outcome }) => [key, outcome])));
});

test("a packed manifest is labelled line by line, and a line that is bad or names a bucket that is not allowed fails alone", async () => {
  const lines = objects.map(({ key }, i) =>
    i % 20 === 0
      ? "no line"
      : JSON.stringify({ custom_id: `n-${i}`, image: { s3: { bucket: photos, key } } }),
  );
  lines.push(JSON.stringify({ "source-ref": `s3://${bucket}/private.png` }));
  await put("list.jsonl.gz", gzipSync(lines.join("\n")));
  const { results } = await completed({ manifest: { s3: { bucket: photos, key: "list.jsonl.gz" } } });
  expect(results.map(({ custom_id }) => custom_id)).toEqual([
    ...objects.map((_, i) => (i % 20 === 0 ? `line ${i + 1}` : `n-${i}`)),
    `s3://${bucket}/private.png`,
  ]);
  expect(results.map(outcomeOf)).toEqual([
    ...objects.map(({ outcome }, i) => (i % 20 === 0 ? "invalid_request" : outcome)),
    "fetch_forbidden",
  ]);
});

test("one picture in the bucket is labelled, and its result says where it lies", async () => {
  const s3Object = { bucket: photos, key: objects[0]?.key };
  const headers = { "content-type": "application/json", prefer: "wait=30" };
  const body = JSON.stringify({ image: { s3: s3Object } });
  const { text } = await ask("/v1/classifications", { method: "POST", headers, body });
  expect(Classification.parse(JSON.parse(text))).toMatchObject({
    status: "succeeded",
    input: { type: "s3", ...s3Object },
    predictions: expect.arrayContaining([expect.objectContaining({ label: objects[0]?.outcome })]),
  });
});

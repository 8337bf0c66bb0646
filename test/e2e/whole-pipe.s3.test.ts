import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";

const { endpoint, accessKeyId, secretAccessKey } = inject("s3");
const bucket = `pipe-${Date.now()}`;
const aws = {
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
};
const s3 = new S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
const dataDir = mkdtempSync(join(tmpdir(), "tresline-s3-"));
let tresline: Tresline;

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const env = {
    ...process.env,
    ...aws,
    PORT: "0",
    STORAGE_URL: `s3://${bucket}/tresline`,
    S3_FORCE_PATH_STYLE: "true",
  };
  tresline = await startTresline({ DATA_DIR: dataDir }, env, () => {});
});

afterAll(async () => {
  await tresline?.stop();
  s3.destroy();
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

test("a batch's parts, results and manifest are in the bucket", async () => {
  const items = ["table_00.webp", "qr_code_08.png", "photo"].map((name) => {
    const bytes = name === "photo" ? Buffer.from("no picture") : sample(name);
    return { custom_id: name, image: { data: `data:image/png;base64,${bytes.toString("base64")}` } };
  });
  const headers = { "content-type": "application/json" };
  const created = await ask("/v1/batches", { method: "POST", headers, body: JSON.stringify({ items }) });
  const { id } = Batch.parse(JSON.parse(created.text));
  await expect
    .poll(async () => Batch.parse(JSON.parse((await ask(`/v1/batches/${id}`)).text)).status, {
      timeout: 20_000,
    })
    .toBe("completed");
  const { text } = await ask(`/v1/batches/${id}/results`);
  const lines = text.trimEnd().split("\n");
  const results = lines.map((line) => BatchResult.parse(JSON.parse(line)));
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

import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";
import { Upload } from "../../shared/contracts/upload.ts";
import { storageKeys } from "../../shared/keys.ts";
import { readFigure } from "./support/figures.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { makeBuckets, useS3 } from "../support/test-s3.ts";

const { endpoint } = inject("s3");
const bucket = `uploads-${Date.now()}`;
const TABLE = readFigure("table_02.png");

let api: TestApi;
beforeAll(async () => {
  useS3();
  const client = await makeBuckets(bucket);
  client.destroy();
  api = await startTestApi({ STORAGE_URL: `s3://${bucket}/tresline`, S3_FORCE_PATH_STYLE: "true" });
});
afterAll(async () => {
  await api.close();
  vi.unstubAllEnvs();
});

test("where storage is a bucket, a file goes there itself, without a key and only as it was announced", async () => {
  const announced = { media_type: "image/png", bytes: TABLE.byteLength };
  const upload = Upload.parse(await (await api.post("/v1/uploads", announced)).json());
  expect(upload.url.startsWith(`${endpoint}/${bucket}/tresline/uploads/${upload.id}?`)).toBe(true);
  const { url, method, headers } = upload;
  expect((await fetch(url, { method, body: TABLE.subarray(1), headers })).status).toBe(403);
  const early = await api.post("/v1/classifications", { image: { upload_id: upload.id } });
  expect(early.status).toBe(422);
  expect((await fetch(url, { method, body: TABLE, headers })).status).toBe(200);
  const accepted = await api.post("/v1/classifications", { image: { upload_id: upload.id } });
  expect(Classification.parse(await accepted.json())).toMatchObject({
    status: "queued",
    input: { type: "data", ...announced, upload_id: upload.id },
  });
  expect(await api.deps.storage.get(storageKeys.upload(upload.id))).toEqual(new Uint8Array(TABLE));
});

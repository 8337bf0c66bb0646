import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { buildManyClasses, sortedLabels } from "../support/many-classes.ts";
import { makeBuckets, s3Environment } from "../support/test-s3.ts";

const SAMPLE = "worker/model/demo/figures/samples/table_00.webp";
const bucket = `models-${Date.now()}`;
const root = mkdtempSync(join(tmpdir(), "tresline-models-"));
const built = buildManyClasses(root);
const { digest } = built.manifest;
const modelKey = `shared/models/many_classes/${digest.slice("sha256:".length)}/model.onnx`;
let s3: S3Client;
const env = {
  ...process.env,
  ...s3Environment(),
  MODELS_URL: `s3://${bucket}/shared`,
  MODEL: "many_classes",
  PORT: "0",
};

beforeAll(async () => {
  s3 = await makeBuckets(bucket);
});
afterAll(() => {
  s3?.destroy();
  rmSync(root, { recursive: true, force: true });
});

const publish = (more: Record<string, string> = {}) =>
  promisify(execFile)(
    process.execPath,
    ["worker/model/cli.ts", "publish", built.dir, `s3://${bucket}/shared`],
    {
      env: { ...env, ...more },
    },
  );

/** Starts a service whose worker fetches its model from the bucket, labels one image with it, and stops; gives its labels and the log. */
async function labelsBy(dataDir: string, more: Record<string, string> = {}) {
  const tresline = await startTresline({ DATA_DIR: join(root, dataDir) }, { ...env, ...more }, () => {});
  try {
    const headers = { authorization: `Bearer ${tresline.apiKey}`, "content-type": "image/webp" };
    const body = new Uint8Array(readFileSync(SAMPLE));
    const response = await fetch(`${tresline.url}/v1/classifications`, {
      method: "POST",
      headers: { ...headers, prefer: "wait=30" },
      body,
    });
    const { predictions, model_digest } = Classification.parse(await response.json());
    expect(model_digest).toBe(digest);
    return { labels: predictions?.map(({ label }) => label), log: readFileSync(tresline.logFile, "utf8") };
  } finally {
    await tresline.stop();
  }
}

test("a worker labels with a model that was published to a bucket, and once more when the bucket is away", async () => {
  expect((await publish()).stdout).toBe(`many_classes is many_classes@${digest}\n`);
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  expect(listed.Contents?.map(({ Key }) => Key)).toContain(modelKey);
  const expected = (await sortedLabels(built, SAMPLE)).slice(0, 5);
  const { labels, log } = await labelsBy("data");
  expect(labels).toEqual(expected);
  expect(log).not.toContain("serving the copy");

  const later = await labelsBy("data", { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
  expect(later.labels).toEqual(expected);
  expect(later.log).toContain("serving the copy");
}, 120_000);

test("publishing to a bucket that cannot be reached, or of no region, ends in one clear line", async () => {
  for (const more of [{ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" }, { AWS_REGION: "" }]) {
    const failed = publish(more);
    await expect(failed).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tresline-model: s3:\/\/[^\n]+\n$/),
    });
  }
});

test("a model whose bytes were exchanged in the bucket is not served", async () => {
  const other = readFileSync(built.onnxPath);
  other[other.length - 100] = (other[other.length - 100] ?? 0) ^ 1;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: modelKey, Body: other }));
  await expect(labelsBy("other-data")).rejects.toThrow(/a file was changed or damaged/);
}, 120_000);

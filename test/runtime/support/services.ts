import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { vi } from "vitest";
import { createApp } from "../../../api/app.ts";
import { ApiConfig } from "../../../api/config.ts";
import { openDeps } from "../../../api/deps.ts";
import { readConfig } from "../../../shared/config.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { startWorker } from "../../../worker/start.ts";
import { sample } from "../../support/figures.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";
import { makeBuckets, s3Environment, useS3 } from "../../support/test-s3.ts";

/** The key of the service under test. */
export const API_KEY = "key-of-the-runtime-tests";
/** What buckets send with their events. */
export const EVENTS_TOKEN = "token-of-the-runtime-tests";
/** What links begin with. */
export const PUBLIC_URL = "https://tresline.example";
/** The largest body, in bytes. */
export const MAX_BODY_BYTES = 1_000_000;

/** What the API in any runtime works with, all of it real, and a worker that does its jobs. */
export interface Services {
  /** The environment of the API under test. */
  env: Record<string, string>;
  redis: TestRedis;
  /** Has the sample pictures by their names, never answers at `/hang`, and is where callbacks arrive. */
  server: TestServer;
  /** A bucket that images may be read from, and what puts one there. */
  bucket: string;
  putObject: (key: string, body: Uint8Array) => Promise<void>;
  /** The same app in this process, which knows what the document says of each answer. */
  described: ReturnType<typeof createApp>;
  stop: () => Promise<void>;
}

/** Starts them; to be stopped in `afterAll`. */
export async function startServices(): Promise<Services> {
  const redis = await startTestRedis();
  const server = await startTestServer(({ path }) =>
    path === "/hang"
      ? "hang"
      : { status: 200, body: path.endsWith(".png") ? sample(path.slice(1)) : new Uint8Array() },
  );
  useS3();
  const [bucket, results] = [`photos-${Date.now()}`, `results-${Date.now()}`];
  const s3 = await makeBuckets(bucket, results);
  const common = {
    ...s3Environment(),
    REDIS_URL: redis.url,
    STORAGE_URL: `s3://${results}/tresline`,
    S3_SOURCE_BUCKETS: bucket,
  };
  const env = {
    ...common,
    API_KEY,
    PUBLIC_URL,
    S3_EVENTS_TOKEN: EVENTS_TOKEN,
    MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    RATE_LIMIT_PER_MINUTE: "100000",
    LOG_LEVEL: "error",
  };
  const models = mkdtempSync(join(tmpdir(), "tresline-models-"));
  const workerEnv = {
    ...common,
    LOG_LEVEL: "error",
    MODELS_DIR: models,
    ALLOWED_PRIVATE_NETWORKS: "127.0.0.0/8",
  };
  const worker = await startWorker(readConfig(WorkerConfig, workerEnv), (error) => {
    throw error;
  });
  const deps = await openDeps(readConfig(ApiConfig, env), new AbortController().signal);
  return {
    env,
    redis,
    server,
    bucket,
    async putObject(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    },
    described: createApp(deps),
    async stop() {
      await worker.close();
      await deps.close();
      await server.stop();
      await redis.stop();
      s3.destroy();
      vi.unstubAllEnvs();
      rmSync(models, { recursive: true, force: true });
    },
  };
}

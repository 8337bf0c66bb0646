import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { BatchResult } from "../../../shared/contracts/batch.ts";
import { Classification } from "../../../shared/contracts/classification.ts";
import type { ClassificationMetrics } from "../../../shared/contracts/classification.ts";
import type {
  BatchRecord,
  BatchSource,
  ClassifyChunkPayload,
  ClassifyImagePayload,
} from "../../../shared/contracts/queue-payloads.ts";
import { createLogger } from "../../../shared/logger.ts";
import { newId } from "../../../shared/new-id.ts";
import { openQueues } from "../../../shared/queue.ts";
import type { Queues } from "../../../shared/queue.ts";
import { putBatch } from "../../../shared/state/batches.ts";
import { openStorage } from "../../../shared/storage/open-storage.ts";
import { openSourceBuckets } from "../../../shared/storage/s3-source-buckets.ts";
import type { Storage } from "../../../shared/storage/storage.ts";
import { untold } from "../../../shared/trace.ts";
import { newTraceparent } from "../../../shared/traceparent.ts";
import type { Announced } from "../../../worker/announce-worker.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { createMetrics } from "../../../worker/metrics.ts";
import type { WorkerDeps } from "../../../worker/start.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { startTestRedis } from "../../support/redis.ts";

/** A storage that tells when so many results have been stored. */
export interface CountingStorage extends Storage {
  /** Starts to count anew. */
  reset(): void;
  /** Resolves when `images` or more have their results in the storage, with how many these are. */
  stored(images: number): Promise<number>;
  /** What the first results stored since `reset`, 2 000 or so, tell of where the time went. */
  metrics(): ClassificationMetrics[];
}

/** What a worker works with, on a Redis and a directory of the benchmark's own. */
export interface BenchDeps extends WorkerDeps {
  storage: CountingStorage;
  /** Announced to nobody. */
  announced: Pick<Announced, "serve">;
  stop: () => Promise<void>;
}

/** Opens it. `env` configures the worker. */
export async function openBench(env: Record<string, string>, own?: Storage): Promise<BenchDeps> {
  const { url, redis, stop } = await startTestRedis();
  const directory = mkdtempSync(join(tmpdir(), "tresline-bench-"));
  const storageUrl = `file:${join(directory, "storage")}`;
  const storage = counting(own ?? (await openStorage(storageUrl, { forcePathStyle: false })));
  const queues = openQueues(redis);
  return {
    config: WorkerConfig.parse({
      REDIS_URL: url,
      STORAGE_URL: storageUrl,
      MODELS_DIR: join(directory, "models"),
      ...env,
    }),
    metrics: createMetrics(),
    tracer: untold,
    redis,
    storage,
    buckets: await openSourceBuckets([], {}),
    queues,
    logger: createLogger("bench", "error"),
    announced: { serve: () => {} },
    onCrash: (error) => {
      throw error;
    },
    async stop() {
      await queues.close();
      await storage.close();
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The results whose metrics are kept, of however many there are. */
const MOST_KEPT = 2_000;

/** Counts the images whose results are stored: one for a classification, one for each line of a chunk's part. */
function counting(storage: Storage): CountingStorage {
  let results: string[] = [];
  let images = 0;
  let wanted = Infinity;
  let done: ((images: number) => void) | undefined;
  const count = (key: string, body: Uint8Array | string) => {
    const isPart = key.includes("/parts/");
    if (!isPart && !key.startsWith("results/")) return;
    const lines = isPart ? String(body).trimEnd().split("\n") : [String(body)];
    images += lines.length;
    // What is kept is moved about by the garbage collector, at the cost of what is measured.
    if (results.length < MOST_KEPT) results.push(...lines);
    if (images >= wanted) done?.(images);
  };
  return {
    ...storage,
    async put(key, body, options) {
      await storage.put(key, body, options);
      count(key, body);
    },
    async putIfAbsent(key, body, options) {
      const isFirst = await storage.putIfAbsent(key, body, options);
      count(key, body);
      return isFirst;
    },
    reset() {
      results = [];
      images = 0;
    },
    stored(awaited) {
      wanted = awaited;
      const { promise, resolve } = Promise.withResolvers<number>();
      done = resolve;
      if (images >= wanted) resolve(images);
      return promise;
    },
    metrics: () => results.map((result) => BatchResult.or(Classification).parse(JSON.parse(result)).metrics),
  };
}

/** A storage that costs nothing, for measuring what lies around it: every object has one byte, and what is written is forgotten. */
export function forgetfulStorage(): Storage {
  const object = new Uint8Array(1);
  return {
    put: async () => {},
    putStream: async () => {},
    putIfAbsent: async () => true,
    get: async () => object,
    size: async () => object.byteLength,
    getStream: async () => undefined,
    signPut: async () => undefined,
    async *list() {},
    async *folders() {},
    delete: async () => {},
    check: async () => {},
    close: async () => {},
  };
}

/** `count` different JPEG files, 500 × 375 pixels unless it says otherwise, made of the demo model's samples, stored; their pointers' keys and bytes. */
export async function storeJpegs(
  storage: Storage,
  count: number,
  [width, height]: readonly [number, number] = [500, 375],
): Promise<{ key: string; file: Buffer }[]> {
  const folder = join(demoSource("figures"), "samples");
  const names = readdirSync(folder).toSorted();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const source = readFileSync(join(folder, names[index % names.length] ?? ""));
      const file = await sharp(source)
        .resize(width, height, { fit: "fill" })
        .flatten()
        .modulate({ brightness: 0.8 + (0.4 * index) / count })
        .jpeg({ quality: 88 })
        .toBuffer();
      const key = `uploads/bench-${index}`;
      await storage.put(key, file, { contentType: "image/jpeg" });
      return { key, file };
    }),
  );
}

const labelling = { tenant: "default", top_k: 5, threshold: 0 };
const pointer = (key: string) => ({ type: "data" as const, key, media_type: "image/jpeg", bytes: 1 });

/** Enqueues `images` single images, taken in turn from `keys`. */
export async function enqueueImages(
  queues: Queues,
  model: string,
  keys: readonly string[],
  images: number,
): Promise<void> {
  const jobs = Array.from({ length: images }, (_, index) => {
    const id = newId("cls");
    const payload: ClassifyImagePayload = {
      kind: "image",
      ...labelling,
      id,
      model,
      image: pointer(keys[index % keys.length] ?? ""),
      priority: "interactive",
      metadata: {},
      webhook: null,
      feed: null,
      deadline: null,
      expires_at: null,
      created_at: new Date().toISOString(),
      url: `http://127.0.0.1/v1/classifications/${id}`,
      traceparent: newTraceparent(),
    };
    return { id, payload };
  });
  for (let start = 0; start < jobs.length; start += 1_000)
    await queues.enqueueClassify(model, "interactive", jobs.slice(start, start + 1_000));
}

/** What a batch of a benchmark is made of; its source is never listed unless it is given. */
export function batchRecord(model: string, source: BatchSource = { type: "items" }): BatchRecord {
  const id = newId("bat");
  return {
    id,
    ...labelling,
    model,
    source,
    metadata: {},
    webhook: null,
    output_formats: [],
    deadline: null,
    expires_at: null,
    created_at: new Date().toISOString(),
    url: `http://127.0.0.1/v1/batches/${id}`,
  };
}

/** Enqueues a batch of `images` images in chunks of 64, which is never finished, and gives its id and how many chunks it has. */
export async function enqueueChunks(
  { redis, queues }: Pick<BenchDeps, "redis" | "queues">,
  model: string,
  keys: readonly string[],
  images: number,
): Promise<{ batchId: string; chunks: number }> {
  const record = batchRecord(model);
  const batchId = record.id;
  await putBatch(redis, record, images);
  const jobs = Array.from({ length: Math.ceil(images / 64) }, (_, chunk) => {
    const payload: ClassifyChunkPayload = {
      kind: "chunk",
      ...labelling,
      model,
      batch_id: batchId,
      traceparent: newTraceparent(),
      chunk,
      items: Array.from({ length: Math.min(64, images - chunk * 64) }, (__, item) => {
        const index = chunk * 64 + item;
        return { index, custom_id: `image ${index}`, image: pointer(keys[index % keys.length] ?? "") };
      }),
    };
    return { id: `${batchId}-${chunk}`, payload };
  });
  await queues.enqueueClassify(model, "bulk", jobs);
  return { batchId, chunks: jobs.length };
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { ClassifyChunkPayload, ClassifyImagePayload } from "../../../shared/contracts/queue-payloads.ts";
import { createLogger } from "../../../shared/logger.ts";
import { newId } from "../../../shared/new-id.ts";
import { openQueues } from "../../../shared/queue.ts";
import type { Queues } from "../../../shared/queue.ts";
import type { RedisClient } from "../../../shared/redis.ts";
import { openStorage } from "../../../shared/storage/open-storage.ts";
import type { Storage } from "../../../shared/storage/storage.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import type { WorkerDeps } from "../../../worker/start.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { startTestRedis } from "../../support/redis.ts";

/** A storage that tells when so many results have been stored. */
export interface CountingStorage extends Storage {
  /** Starts to count anew. */
  reset(): void;
  /** Resolves when `images` or more have their results in the storage, with how many these are. */
  stored(images: number): Promise<number>;
}

/** What a worker works with, on a Redis and a directory of the benchmark's own. */
export interface BenchDeps extends WorkerDeps {
  storage: CountingStorage;
  stop: () => Promise<void>;
}

/** Opens it. `env` configures the worker. */
export async function openBench(env: Record<string, string>, memory?: Storage): Promise<BenchDeps> {
  const { url, redis, stop } = await startTestRedis();
  const directory = mkdtempSync(join(tmpdir(), "tresline-bench-"));
  const storage = counting(memory ?? (await openStorage(`file:${directory}`, { forcePathStyle: false })));
  const queues = openQueues(redis);
  return {
    config: WorkerConfig.parse({ REDIS_URL: url, MODELS_DIR: join(directory, "models"), ...env }),
    redis,
    storage,
    queues,
    logger: createLogger("bench", "error"),
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

/** Counts the images whose results are stored: one for a classification, one for each line of a chunk's part. */
function counting(storage: Storage): CountingStorage {
  let counted = 0;
  let wanted = Infinity;
  let done = (_: number) => {};
  const count = (key: string, body: Uint8Array | string) => {
    if (key.startsWith("results/")) counted++;
    if (key.includes("/parts/")) counted += String(body).split("\n").length - 1;
    if (counted >= wanted) done(counted);
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
      counted = 0;
    },
    stored(images) {
      wanted = images;
      const { promise, resolve } = Promise.withResolvers<number>();
      done = resolve;
      if (counted >= wanted) done(counted);
      return promise;
    },
  };
}

/** A storage in memory, for measuring what lies around it. */
export function memoryStorage(): Storage {
  const objects = new Map<string, Uint8Array>();
  const encode = (body: Uint8Array | string) =>
    typeof body === "string" ? new TextEncoder().encode(body) : body;
  return {
    put: async (key, body) => void objects.set(key, encode(body)),
    async putIfAbsent(key, body) {
      const isFirst = !objects.has(key);
      if (isFirst) objects.set(key, encode(body));
      return isFirst;
    },
    get: async (key) => objects.get(key),
    getStream: async () => undefined,
    async *list() {},
    delete: async (key) => void objects.delete(key),
    check: async () => {},
    close: async () => {},
  };
}

/** `count` different JPEG files of 500 × 375 pixels, made of the demo model's samples, stored; their pointers' keys and bytes. */
export async function storeJpegs(storage: Storage, count: number): Promise<{ key: string; file: Buffer }[]> {
  const folder = join(demoSource("figures"), "samples");
  const names = readdirSync(folder).toSorted();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const source = readFileSync(join(folder, names[index % names.length] ?? ""));
      const file = await sharp(source)
        .resize(500, 375, { fit: "fill" })
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
      created_at: new Date().toISOString(),
      url: `http://127.0.0.1/v1/classifications/${id}`,
    };
    return { id, payload };
  });
  for (let start = 0; start < jobs.length; start += 1_000)
    await queues.enqueueClassify(model, "interactive", jobs.slice(start, start + 1_000));
}

/** Enqueues a batch's worth of `images` images in chunks of 64. */
export async function enqueueChunks(
  queues: Queues,
  model: string,
  keys: readonly string[],
  images: number,
): Promise<void> {
  const batchId = newId("bat");
  const jobs = Array.from({ length: Math.ceil(images / 64) }, (_, chunk) => {
    const payload: ClassifyChunkPayload = {
      kind: "chunk",
      ...labelling,
      model,
      batch_id: batchId,
      chunk,
      items: Array.from({ length: Math.min(64, images - chunk * 64) }, (__, item) => {
        const index = chunk * 64 + item;
        return { index, custom_id: `image ${index}`, image: pointer(keys[index % keys.length] ?? "") };
      }),
    };
    return { id: `${batchId}-${chunk}`, payload };
  });
  await queues.enqueueClassify(model, "bulk", jobs);
}

/** Removes all that is queued and stored in Redis. */
export const flush = (redis: RedisClient): Promise<"OK"> => redis.flushall();

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { getBatchState, putBatch } from "../../shared/state/batches.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import { takeJobs } from "../../worker/classify/start.ts";
import { startScan } from "../../worker/scan/start.ts";
import type { Curve, Figure } from "./support/bench.ts";
import { noopLabelling } from "./support/noop-labelling.ts";
import { batchRecord, openBench } from "./support/pipeline.ts";

const IMAGES = 1_000_000;
/** Images until the process has grown to the size it keeps. */
const WARM_UP = 200_000;
const LOOK_MS = 500;
const MB = 1e6;

/** A batch of a million: every object of a bucket that is made up as it is listed, and an engine that costs nothing; Redis and storage are real. */
export async function million(): Promise<Figure[]> {
  const deps = await openBench({ MODEL: "figures" });
  const commands = countCommands();
  const storage = await openStorage(deps.config.STORAGE_URL, { forcePathStyle: false });
  const worker = { ...deps, storage, buckets: endlessBucket };
  const labelling = noopLabelling(worker);
  const consuming = [startScan(worker), takeJobs(worker, labelling, deps.config.MAX_BATCH_SIZE)];
  try {
    const record = batchRecord("figures", { type: "prefix", bucket: "made-up", prefix: "photos/" });
    const { id } = record;
    await deps.redis.config("RESETSTAT");
    const before = commands.count();
    const began = performance.now();
    await putBatch(deps.redis, record, 0);
    await deps.queues.enqueueScan({
      id: `${id}-enqueue`,
      payload: { kind: "enqueue", tenant: "default", batch_id: id },
    });
    const resident: [images: number, megabytes: number][] = [];
    for (;;) {
      const { succeeded, status } = await look(deps.redis, id);
      resident.push([succeeded, process.memoryUsage.rss() / MB]);
      if (status === "completed" && succeeded === IMAGES) break;
      if (status === "failed") throw new Error("The batch of a million failed.");
      await sleep(LOOK_MS);
    }
    const seconds = (performance.now() - began) / 1000;
    const beside = { "images/s": IMAGES / seconds, seconds };
    const peak = Number(/^used_memory_peak:(\d+)/m.exec(await deps.redis.info("memory"))?.[1]) / MB;
    return [
      {
        name: "a batch of a million: commands to Redis an image",
        what: "all that the workers send until its results are put together; a script counts as one",
        value: (commands.count() - before) / IMAGES,
        unit: "commands",
        goal: { atMost: 0.1 },
        beside,
      },
      {
        name: "a batch of a million: the most memory that Redis used",
        what: "used_memory_peak, an empty Redis included",
        value: peak,
        unit: "MB",
        goal: { atMost: 64 },
        beside,
      },
      flatness(resident),
    ];
  } finally {
    await Promise.all(consuming.map((each) => each.close()));
    await storage.close();
    commands.stop();
    await deps.stop();
  }
}

/** How far the resident memory of this process, which is the worker, goes up and down. */
function flatness(resident: readonly (readonly [images: number, megabytes: number])[]): Figure {
  const sizes = resident.filter(([images]) => images >= WARM_UP).map(([, megabytes]) => megabytes);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const curve: Curve = {
    plot: "million",
    title: "Resident memory of a worker over a batch of a million",
    x: "images labelled",
    y: "MB",
    line: "scan and classify in one process",
    points: resident,
  };
  return {
    name: "a batch of a million: resident memory of the worker",
    what: `half the distance between the least and the most, over the middle, after ${WARM_UP} images`,
    value: (100 * (most - least)) / (most + least),
    unit: "%",
    goal: { atMost: 15 },
    beside: {
      "least MB": least,
      "most MB": most,
      ...Object.fromEntries(
        [0.2, 0.4, 0.6, 0.8, 1].map((part) => [
          `MB after ${part * IMAGES} images`,
          resident.findLast(([images]) => images <= part * IMAGES)?.[1] ?? NaN,
        ]),
      ),
    },
    curve,
  };
}

/** A bucket of a million keys, which nobody stores. */
const endlessBucket: SourceBuckets = {
  async list(_bucket, _prefix, { after, limit }) {
    const first = after === "" ? 0 : Number(/\d+/.exec(after)?.[0]) + 1;
    const count = Math.min(limit, IMAGES - first);
    const objects = Array.from({ length: count }, (_, i) => ({
      key: `photos/${String(first + i).padStart(7, "0")}.jpg`,
      size: 100_000,
      etag: "made-up",
    }));
    return { objects, isLast: first + count >= IMAGES };
  },
  read: async () => new Uint8Array(1),
  mustAllow: () => {},
  etagOf: () => Promise.reject(new Error("not used")),
  open: () => Promise.reject(new Error("not used")),
  close: async () => {},
};

async function look(redis: RedisClient, id: string) {
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Redis has forgotten ${id}.`);
  return { status: state.batch.status, succeeded: state.batch.request_counts.succeeded };
}

/** Counts the commands that all connections of this process send. */
function countCommands() {
  const { prototype } = Redis;
  const found = Object.getOwnPropertyDescriptor(prototype, "sendCommand");
  if (found === undefined) throw new Error("ioredis sends its commands in another way now.");
  let sent = 0;
  const counted = function (this: Redis, ...args: Parameters<Redis["sendCommand"]>): unknown {
    sent++;
    return Reflect.apply(found.value as Redis["sendCommand"], this, args);
  };
  Object.defineProperty(prototype, "sendCommand", { ...found, value: counted });
  return { count: () => sent, stop: () => Object.defineProperty(prototype, "sendCommand", found) };
}

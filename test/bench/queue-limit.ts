import { Queue, Worker } from "bullmq";
import { takeJobs } from "../../worker/classify/start.ts";
import { median, medianOf } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { noopLabelling } from "./support/noop-labelling.ts";
import { enqueueChunks, enqueueImages, forgetfulStorage, openBench } from "./support/pipeline.ts";
import type { BenchDeps } from "./support/pipeline.ts";

const ROUNDS = 5;
const JOBS = 50_000;
const BULK_IMAGES = 300_000;
const CONCURRENCY = 64;

/** What the queue allows: images a second with an engine, a decoder and a storage that cost nothing, over BullMQ's own jobs that do nothing. */
export async function queueLimit(): Promise<Figure[]> {
  const deps = await openBench({ MODEL: "figures" }, forgetfulStorage());
  try {
    const keys = ["uploads/noop"];
    const measureRound = async () => ({
      bare: await bareRate(deps),
      interactive: await rate(deps, JOBS, () => enqueueImages(deps.queues, "figures", keys, JOBS)),
      bulk: await rate(deps, BULK_IMAGES, () => enqueueChunks(deps, "figures", keys, BULK_IMAGES)),
    });
    // Code that has not been compiled yet is slow, and whoever comes first would be measured with the most of it.
    await measureRound();
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measureRound());
    const beside = { "no-op jobs/s": median(rounds.map((r) => r.bare)) };
    return [
      {
        name: "no-op engine: bulk images over BullMQ's no-op jobs",
        what: "images/s in chunks of 64 over jobs/s, on the same Redis, concurrency 64",
        ...medianOf(rounds.map((r) => r.bulk / r.bare)),
        unit: "ratio",
        goal: { atLeast: 5 },
        beside: { ...beside, "images/s": median(rounds.map((r) => r.bulk)) },
      },
      {
        name: "no-op engine: interactive images over BullMQ's no-op jobs",
        what: "images/s, each a job of its own with its state, its result and its announcement, over jobs/s",
        ...medianOf(rounds.map((r) => r.interactive / r.bare)),
        unit: "ratio",
        goal: { atLeast: 0.7 },
        beside: { ...beside, "images/s": median(rounds.map((r) => r.interactive)) },
      },
    ];
  } finally {
    await deps.stop();
  }
}

async function rate(deps: BenchDeps, images: number, enqueue: () => Promise<unknown>): Promise<number> {
  await deps.redis.flushall();
  deps.storage.reset();
  await enqueue();
  const began = performance.now();
  const consuming = takeJobs(deps, noopLabelling(deps), deps.config.MAX_BATCH_SIZE);
  const done = await deps.storage.stored(images);
  const seconds = (performance.now() - began) / 1000;
  await consuming.close();
  return done / seconds;
}

async function bareRate({ redis }: BenchDeps): Promise<number> {
  await redis.flushall();
  const queue = new Queue("noop", { connection: redis });
  const jobs = Array.from({ length: JOBS }, (_, n) => ({
    name: "noop",
    data: { n },
    opts: { removeOnComplete: true },
  }));
  await queue.addBulk(jobs);
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = JOBS;
  const began = performance.now();
  const worker = new Worker(
    "noop",
    async () => {
      if (--left === 0) resolve();
    },
    { connection: redis, concurrency: CONCURRENCY },
  );
  await promise;
  const seconds = (performance.now() - began) / 1000;
  await worker.close();
  await queue.close();
  return JOBS / seconds;
}

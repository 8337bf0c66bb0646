import { Queue } from "bullmq";
import type { JobsOptions } from "bullmq";
import { ClassifyImagePayload, DeliverPayload } from "./contracts/queue-payloads.ts";
import type { ClassifyObjectPayload, ClassifyPayload, ScanPayload } from "./contracts/queue-payloads.ts";
import { Lane } from "./contracts/lane.ts";
import { REDIS_PREFIX } from "./keys.ts";
import { openQueueAdmin } from "./queue-admin.ts";
import type { RedisClient } from "./redis.ts";

/** The names of the queues. Each model has its own three, so that a worker takes only what it can label. */
export const queueNames = {
  classify: (model: string, lane: Lane) => `classify.${model}.${lane}`,
  objects: (model: string) => `classify.${model}.objects`,
  scan: "scan",
  deliver: "deliver",
} as const;

// Of an image, a chunk or a message it is the handler that counts attempts and writes the failure down. These many are for when even
// that cannot be written, since Redis or storage is away: at one a minute they last for more than a week.
const UNTIL_IT_IS_WRITTEN_DOWN = 12_000;

const OPTIONS: JobsOptions = {
  attempts: UNTIL_IT_IS_WRITTEN_DOWN,
  backoff: { type: "tresline" },
  removeOnComplete: true,
  // A dead letter was accepted, too: it stays until somebody redrives or discards it.
  removeOnFail: false,
  stackTraceLimit: 1,
};

/** How many of the longest waiting jobs are looked at: among them may be some that wait to be tried again. */
const LOOKED_AT = 10;
/** BullMQ's score of a job that is put off: the milliseconds at which it is due times this, plus a number that tells jobs apart. */
const DELAYED_SCORE_PER_MS = 0x1000;
/** The id of a chunk's job: that of its batch or run, and its number. */
const CHUNK_ID = /^(?:bat|run)_\w+-\d+$/;
/** How many jobs that wait, and as many that are in hand, tell how many images a job of a queue is. */
const SAMPLED = 100;

/** The most items of a batch that travel in one job. */
export const CHUNK_SIZE = 64;
/** The most jobs that wait in the bulk lane of a model, beyond which no batch is listed on: 16 384 images, some minutes of work. */
export const MAX_WAITING_CHUNKS = 256;

/** What a queue holds. */
export interface QueueDepth {
  /** Whether an operator has paused it: nobody takes its jobs until it is resumed. */
  paused: boolean;
  /** Jobs that no worker has yet. */
  waiting: number;
  /** Jobs put off whose time has come, which a worker would find first; they stay so while there is none. */
  due: number;
  /** Jobs in the hand of a worker. */
  active: number;
  /** Images in a job: `CHUNK_SIZE` in a chunk and otherwise one; where both are, the mean of those that are next and in hand. 0 when there is no job. */
  imagesPerJob: number;
}

/** A job to add: `id` makes a second job under the same id a no-op while the first is there. */
export interface NewJob<Payload> {
  id: string;
  payload: Payload;
}

/** Opens the producing side of all queues on one connection. Each `enqueue` returns once Redis has the jobs. */
export function openQueues(redis: RedisClient) {
  const open = new Map<string, Promise<Queue>>();
  const openQueue = async (name: string) => {
    // A queue waits for its first connection for ever; a command waits as long as its caller's patience.
    if (redis.status !== "ready") await redis.ping();
    const opened = new Queue(name, { connection: redis, prefix: REDIS_PREFIX });
    // The connection itself tells of its errors; a queue without a listener would print them once more.
    opened.on("error", () => {});
    await opened.waitUntilReady();
    return opened;
  };
  const queue = (name: string) => {
    const known = open.get(name);
    if (known !== undefined) return known;
    const opening = openQueue(name);
    open.set(name, opening);
    opening.catch(() => open.delete(name));
    return opening;
  };
  const add = async (name: string, jobs: NewJob<unknown>[], options: JobsOptions = {}) => {
    const all = jobs.map(({ id, payload }) => ({
      name,
      data: payload,
      opts: { ...OPTIONS, ...options, jobId: id },
    }));
    const [first, ...more] = all;
    // One alone needs no transaction.
    if (first !== undefined && more.length === 0) await (await queue(name)).add(name, first.data, first.opts);
    else await (await queue(name)).addBulk(all);
  };
  const countWaiting = async (name: string): Promise<number> =>
    (await queue(name)).getJobCountByTypes("wait", "prioritized", "delayed");
  const oldestWaiting = async (name: string): Promise<Date | undefined> => {
    const each = await queue(name);
    const ids = await each.getRanges(["wait"], 0, LOOKED_AT - 1, true);
    const jobs = await Promise.all(ids.map((id) => redis.hmget(each.toKey(id), "timestamp", "processedOn")));
    const since = jobs.flatMap(([made, takenAt]) => (made && !takenAt ? Number(made) : []));
    return since.length === 0 ? undefined : new Date(Math.min(...since));
  };
  const depth = async (name: string): Promise<QueueDepth> => {
    const each = await queue(name);
    const [paused, waiting, active, due, sample] = await Promise.all([
      each.isPaused(),
      each.getJobCountByTypes("wait", "prioritized"),
      each.getJobCountByTypes("active"),
      redis.zcount(each.toKey("delayed"), 0, (Date.now() + 1) * DELAYED_SCORE_PER_MS - 1),
      each.getRanges(["wait", "active", "delayed"], 0, SAMPLED - 1, true),
    ]);
    const images = sample.reduce((sum, id) => sum + (CHUNK_ID.test(id) ? CHUNK_SIZE : 1), 0);
    return { paused, waiting, due, active, imagesPerJob: images / Math.max(sample.length, 1) };
  };
  return {
    /** BullMQ's own object of a queue, for tools of theirs. */
    vendorQueue: queue,
    /** What operators do with queues. */
    admin: openQueueAdmin(redis, { open: queue, depth, oldestWaiting }),
    enqueueClassify: (model: string, lane: Lane, jobs: NewJob<ClassifyPayload>[]) =>
      add(queueNames.classify(model, lane), jobs),
    /** How many jobs of a model wait in a lane, those put off until later among them. */
    countWaiting: (model: string, lane: Lane) => countWaiting(queueNames.classify(model, lane)),
    enqueueObjects: (model: string, jobs: NewJob<ClassifyObjectPayload>[]) =>
      add(queueNames.objects(model), jobs),
    /** How many objects that events told of wait for a model. */
    countWaitingObjects: (model: string) => countWaiting(queueNames.objects(model)),
    /** Since when the job of a model waits in a lane that has waited longest without ever being taken; undefined when none does. */
    oldestWaiting: (model: string, lane: Lane) => oldestWaiting(queueNames.classify(model, lane)),
    /** The same of the objects that events told of. */
    oldestWaitingObject: (model: string) => oldestWaiting(queueNames.objects(model)),
    /** What a queue holds, by its name. */
    depth,
    /** How many workers take jobs of a model; 0 or 1 where Redis does not tell who is connected. Redis lists all its connections for it. */
    countWorkers: async (model: string): Promise<number> =>
      (await queue(queueNames.classify(model, "interactive"))).getWorkersCount(),
    /** The job of a classification of one of these models, which is there until its result is stored, and when a worker took it; or undefined. */
    async findClassification(
      models: readonly string[],
      id: string,
    ): Promise<{ payload: ClassifyImagePayload; startedAt: Date | undefined } | undefined> {
      const names = models.flatMap((model) => Lane.options.map((lane) => queueNames.classify(model, lane)));
      const jobs = await Promise.all(names.map(async (name) => (await queue(name)).getJob(id)));
      const job = jobs.find((each) => each !== undefined);
      if (job === undefined) return undefined;
      const startedAt = job.processedOn === undefined ? undefined : new Date(job.processedOn);
      return { payload: ClassifyImagePayload.parse(job.data), startedAt };
    },
    /** Takes a classification out of its queue, if it is there. False when a worker has it in hand. */
    async removeClassification({
      model,
      priority,
      id,
    }: Pick<ClassifyImagePayload, "model" | "priority" | "id">): Promise<boolean> {
      return (await (await queue(queueNames.classify(model, priority))).remove(id)) === 1;
    },
    /** `delayMs` is how many milliseconds the job waits until it is done. */
    enqueueScan: (job: NewJob<ScanPayload>, delayMs = 0) => add(queueNames.scan, [job], { delay: delayMs }),
    /** Sets the sweep of a day (`2026-11-22`), to be done after so many milliseconds. */
    enqueueSweep: (day: string, delayMs: number) =>
      add(queueNames.scan, [{ id: `sweep-${day}`, payload: { kind: "sweep" } }], { delay: delayMs }),
    enqueueDeliver: (job: NewJob<DeliverPayload>) => add(queueNames.deliver, [job]),
    /** The job of a message that has not ended, and how often that was tried; or undefined. */
    async findMessage(id: string): Promise<{ payload: DeliverPayload; attempts: number } | undefined> {
      const job = await (await queue(queueNames.deliver)).getJob(id);
      if (job === undefined || job.finishedOn !== undefined) return undefined;
      return { payload: DeliverPayload.parse(job.data), attempts: job.attemptsMade };
    },
    /** Since when the oldest message has been under way that has not ended, of 300 that wait, are in hand, or are tried again soonest or last. */
    async oldestMessage(): Promise<Date | undefined> {
      const each = await queue(queueNames.deliver);
      const ids = await Promise.all([
        each.getRanges(["wait", "active"], 0, SAMPLED - 1, true),
        redis.zrevrange(each.toKey("delayed"), -SAMPLED, -1),
        redis.zrevrange(each.toKey("delayed"), 0, SAMPLED - 1),
      ]);
      const made = await Promise.all(
        [...new Set(ids.flat())].map((id) => redis.hget(each.toKey(id), "timestamp")),
      );
      const since = made.flatMap((time) => (time === null ? [] : [Number(time)]));
      return since.length === 0 ? undefined : new Date(Math.min(...since));
    },
    /** Makes a message that waits for its next attempt be tried now. */
    async hastenMessage(id: string): Promise<void> {
      const job = await (await queue(queueNames.deliver)).getJob(id);
      if (job === undefined || !(await job.isDelayed())) return;
      await job.promote().catch(async (error: unknown) => {
        // It may have been taken between the two, and is being tried.
        if (await job.isDelayed()) throw error;
      });
    },
    close: async () => {
      const opened = await Promise.allSettled(open.values());
      await Promise.all(opened.flatMap((each) => (each.status === "fulfilled" ? [each.value.close()] : [])));
    },
  };
}

/** The producing side of all queues. */
export type Queues = ReturnType<typeof openQueues>;

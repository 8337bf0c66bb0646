import { Queue } from "bullmq";
import type { JobsOptions } from "bullmq";
import { ClassifyImagePayload, DeliverPayload } from "./contracts/queue-payloads.ts";
import type { ClassifyObjectPayload, ClassifyPayload, ScanPayload } from "./contracts/queue-payloads.ts";
import { Lane } from "./contracts/lane.ts";
import { REDIS_PREFIX } from "./keys.ts";
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
  removeOnFail: { age: 7 * 86_400 },
  stackTraceLimit: 1,
};

/** How many of the longest waiting jobs are looked at: among them may be some that wait to be tried again. */
const LOOKED_AT = 10;

/** A job to add: `id` makes a second job under the same id a no-op while the first is there. */
export interface NewJob<Payload> {
  id: string;
  payload: Payload;
}

/** Opens the producing side of all queues on one connection. Each `enqueue` returns once Redis has the jobs. */
export function openQueues(redis: RedisClient) {
  const open = new Map<string, Queue>();
  const queue = (name: string) => {
    const known = open.get(name);
    if (known !== undefined) return known;
    const opened = new Queue(name, { connection: redis, prefix: REDIS_PREFIX });
    // The connection itself tells of its errors; a queue without a listener would print them once more.
    opened.on("error", () => {});
    open.set(name, opened);
    return opened;
  };
  const add = async (name: string, jobs: NewJob<unknown>[], options: JobsOptions = {}) => {
    const all = jobs.map(({ id, payload }) => ({
      name,
      data: payload,
      opts: { ...OPTIONS, ...options, jobId: id },
    }));
    const [first, ...more] = all;
    // One alone needs no transaction.
    if (first !== undefined && more.length === 0) await queue(name).add(name, first.data, first.opts);
    else await queue(name).addBulk(all);
  };
  const countWaiting = (name: string): Promise<number> =>
    queue(name).getJobCountByTypes("wait", "prioritized", "delayed");
  return {
    enqueueClassify: (model: string, lane: Lane, jobs: NewJob<ClassifyPayload>[]) =>
      add(queueNames.classify(model, lane), jobs),
    /** How many jobs of a model wait in a lane, those put off until later among them. */
    countWaiting: (model: string, lane: Lane) => countWaiting(queueNames.classify(model, lane)),
    enqueueObjects: (model: string, jobs: NewJob<ClassifyObjectPayload>[]) =>
      add(queueNames.objects(model), jobs),
    /** How many objects that events told of wait for a model. */
    countWaitingObjects: (model: string) => countWaiting(queueNames.objects(model)),
    /** Since when the job of a model waits in a lane that has waited longest without ever being taken; undefined when none does. */
    async oldestWaiting(model: string, lane: Lane): Promise<Date | undefined> {
      const each = queue(queueNames.classify(model, lane));
      const ids = await each.getRanges(["wait"], 0, LOOKED_AT - 1, true);
      const jobs = await Promise.all(
        ids.map((id) => redis.hmget(each.toKey(id), "timestamp", "processedOn")),
      );
      const since = jobs.flatMap(([made, takenAt]) => (made && !takenAt ? Number(made) : []));
      return since.length === 0 ? undefined : new Date(Math.min(...since));
    },
    /** The job of a classification of one of these models, which is there until its result is stored, and when a worker took it; or undefined. */
    async findClassification(
      models: readonly string[],
      id: string,
    ): Promise<{ payload: ClassifyImagePayload; startedAt: Date | undefined } | undefined> {
      const names = models.flatMap((model) => Lane.options.map((lane) => queueNames.classify(model, lane)));
      const jobs = await Promise.all(names.map((name) => queue(name).getJob(id)));
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
      return (await queue(queueNames.classify(model, priority)).remove(id)) === 1;
    },
    /** `delayMs` is how many milliseconds the job waits until it is done. */
    enqueueScan: (job: NewJob<ScanPayload>, delayMs = 0) => add(queueNames.scan, [job], { delay: delayMs }),
    enqueueDeliver: (job: NewJob<DeliverPayload>) => add(queueNames.deliver, [job]),
    /** The job of a message that has not ended, and how often that was tried; or undefined. */
    async findMessage(id: string): Promise<{ payload: DeliverPayload; attempts: number } | undefined> {
      const job = await queue(queueNames.deliver).getJob(id);
      if (job === undefined || job.finishedOn !== undefined) return undefined;
      return { payload: DeliverPayload.parse(job.data), attempts: job.attemptsMade };
    },
    /** Makes a message that waits for its next attempt be tried now. */
    async hastenMessage(id: string): Promise<void> {
      const job = await queue(queueNames.deliver).getJob(id);
      if (job === undefined || !(await job.isDelayed())) return;
      await job.promote().catch(async (error: unknown) => {
        // It may have been taken between the two, and is being tried.
        if (await job.isDelayed()) throw error;
      });
    },
    close: async () => {
      await Promise.all([...open.values()].map((each) => each.close()));
    },
  };
}

/** The producing side of all queues. */
export type Queues = ReturnType<typeof openQueues>;

import type { Job, Queue } from "bullmq";
import type { QueueDepth } from "./queue.ts";
import type { RedisClient } from "./redis.ts";
import { toPage } from "./state/id-list.ts";
import type { PageOf } from "./state/id-list.ts";

/** A queue as operators see it. */
export interface QueueLook extends Omit<QueueDepth, "imagesPerJob"> {
  /** Jobs that are to be taken later. */
  putOff: number;
  /** Jobs that nobody tries again until they are redriven. */
  dead: number;
  /** Since when the job that has waited longest has waited without ever being taken; undefined when none does. */
  oldestSince: Date | undefined;
}

/** All that is known of one job. Times are undefined for what has not happened. */
export interface KnownJob {
  id: string;
  state: "waiting" | "put_off" | "active" | "dead";
  /** Attempts that have failed. */
  attempts: number;
  /** How often a worker died with it in hand. */
  crashes: number;
  /** What its last attempt ended with; undefined when none failed. */
  reason: string | undefined;
  payload: unknown;
  createdAt: Date;
  takenAt: Date | undefined;
  diedAt: Date | undefined;
}

/** How many jobs are asked for or moved at once. */
const AT_ONCE = 100;

/**
 * KEYS[1] the dead letters (sorted set of ids by when they died)   KEYS[2] the job (hash)   ARGV[1] its id
 * Answers 1, or 0 when it is no dead letter: it may just have been redriven.
 */
const DISCARD = `
if redis.call("ZREM", KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call("DEL", KEYS[2])
return 1`;

/** What operators do with a queue, by its name; `open` gives it. */
export function openQueueAdmin(
  redis: RedisClient,
  {
    open,
    depth,
    oldestWaiting,
  }: {
    open: (name: string) => Promise<Queue>;
    depth: (name: string) => Promise<QueueDepth>;
    oldestWaiting: (name: string) => Promise<Date | undefined>;
  },
) {
  return {
    /** Lets nobody take jobs of a queue, now and after restarts, until it is resumed. What is in hand is finished. */
    pause: async (name: string): Promise<void> => (await open(name)).pause(),
    /** Lets workers take its jobs again. */
    resume: async (name: string): Promise<void> => (await open(name)).resume(),
    /** What a queue holds. */
    async look(name: string): Promise<QueueLook> {
      const queue = await open(name);
      const [{ imagesPerJob: _, ...load }, counts, oldestSince] = await Promise.all([
        depth(name),
        queue.getJobCounts("delayed", "failed"),
        oldestWaiting(name),
      ]);
      const putOff = Math.max(0, (counts["delayed"] ?? 0) - load.due);
      return { ...load, putOff, dead: counts["failed"] ?? 0, oldestSince };
    },
    /**
     * A page of the dead letters of a queue, the newest first.
     * @param before the cursor of the page before. Where its dead letter is gone, those of the same millisecond are told again.
     */
    async listDead(
      name: string,
      { limit, before }: { limit: number; before: string | undefined },
    ): Promise<PageOf<KnownJob>> {
      const queue = await open(name);
      const failed = queue.toKey("failed");
      const from = before === undefined ? 0 : await rankAfter(redis, failed, before);
      const ids = await redis.zrevrange(failed, from, from + limit);
      const jobs = await Promise.all(ids.map((id) => queue.getJob(id)));
      const dead = jobs.flatMap((job) => (job === undefined ? [] : [toKnown(job, "dead")]));
      return toPage(dead, limit, ({ id, diedAt }) => `${diedAt?.getTime() ?? 0}-${id}`);
    },
    /** A job of a queue; undefined when there is none under this id. */
    async findJob(name: string, id: string): Promise<KnownJob | undefined> {
      const job = await (await open(name)).getJob(id);
      const state = STATES[(await job?.getState()) ?? ""];
      return job === undefined || state === undefined ? undefined : toKnown(job, state);
    },
    /** The ids of the first `most` dead letters of a queue that died before a time, the oldest first. */
    async deadBefore(name: string, before: Date, most: number): Promise<string[]> {
      const failed = (await open(name)).toKey("failed");
      return redis.zrangebyscore(failed, "-inf", `(${before.getTime()}`, "LIMIT", 0, most);
    },
    /** How many dead letters of a queue died before a time. */
    async countDeadBefore(name: string, before: Date): Promise<number> {
      return redis.zcount((await open(name)).toKey("failed"), "-inf", `(${before.getTime()}`);
    },
    /** Makes dead letters wait again, as if they had never been tried. Gives the ids of those that were dead letters. */
    async redrive(name: string, ids: readonly string[]): Promise<string[]> {
      const queue = await open(name);
      return doToEach(ids, async (id) => {
        const job = await queue.getJob(id);
        if (job === undefined || !(await job.isFailed())) return false;
        return job.retry("failed", { resetAttemptsMade: true }).then(
          () => true,
          async (error: unknown) => {
            // Somebody else may have redriven or discarded it between the two.
            if (await job.isFailed()) throw error;
            return false;
          },
        );
      });
    },
    /** Removes dead letters for good. Gives the ids of those that were. */
    async discard(name: string, ids: readonly string[]): Promise<string[]> {
      const queue = await open(name);
      const failed = queue.toKey("failed");
      return doToEach(ids, async (id) => (await redis.eval(DISCARD, 2, failed, queue.toKey(id), id)) === 1);
    },
  };
}

/** Does something to jobs, some at a time. Gives the ids of those that it could be done to. */
async function doToEach(ids: readonly string[], each: (id: string) => Promise<boolean>): Promise<string[]> {
  const done: string[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const answers = await Promise.all(some.map(each));
    done.push(...some.filter((_, index) => answers[index]));
  }
  return done;
}

const STATES: Readonly<Record<string, KnownJob["state"]>> = {
  waiting: "waiting",
  prioritized: "waiting",
  delayed: "put_off",
  active: "active",
  failed: "dead",
};

const dateOf = (ms: number | null | undefined) => (ms ? new Date(ms) : undefined);

function toKnown(job: Job<unknown>, state: KnownJob["state"]): KnownJob {
  return {
    id: String(job.id),
    state,
    attempts: job.attemptsMade,
    crashes: job.stalledCounter,
    reason: job.failedReason || undefined,
    payload: job.data,
    createdAt: new Date(job.timestamp),
    takenAt: dateOf(job.processedOn),
    diedAt: dateOf(job.finishedOn),
  };
}

/** Where the newest-first list of dead letters goes on after a cursor, `{milliseconds}-{id}`. */
async function rankAfter(redis: RedisClient, failed: string, cursor: string): Promise<number> {
  const dash = cursor.indexOf("-");
  const rank = await redis.zrevrank(failed, cursor.slice(dash + 1));
  return rank === null ? redis.zcount(failed, `(${cursor.slice(0, dash)}`, "+inf") : rank + 1;
}

import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import type { RedisClient } from "../../shared/redis.ts";

/** How many jobs lie in each queue: those that are to be done, and dead letters. */
export type Leftovers = Record<string, { toDo: number; dead: number }>;

const MODEL = "figures";
const QUEUES = [
  queueNames.classify(MODEL, "interactive"),
  queueNames.classify(MODEL, "bulk"),
  queueNames.objects(MODEL),
  queueNames.scan,
  queueNames.deliver,
];
const LOOK_MS = 500;
/** How often in a row nothing has to be there: what ends may call for more. */
const LOOKS = 3;
/** What waits longer than this, in milliseconds, is hastened. */
const LONG_MS = 4_000;
/** BullMQ's score of a job that is put off: the milliseconds at which it is due times this. */
const DELAYED_SCORE_PER_MS = 0x1000;

/**
 * Waits until no job is left to do, for `withinMs` milliseconds at most, and gives what lies in the queues then. Jobs that
 * wait for their next try for long are tried now, as an operator may: a message would wait for hours.
 */
export async function comeToRest(redis: RedisClient, withinMs: number): Promise<Leftovers> {
  const queues = QUEUES.map((name) => new Queue(name, { connection: redis, prefix: REDIS_PREFIX }));
  try {
    const until = performance.now() + withinMs;
    let quiet = 0;
    for (;;) {
      const left = Object.fromEntries(await Promise.all(queues.map(countJobs)));
      quiet = Object.values(left).every(({ toDo }) => toDo === 0) ? quiet + 1 : 0;
      if (quiet === LOOKS || performance.now() > until) return left;
      await Promise.all(queues.map((queue) => hasten(queue, redis)));
      await sleep(LOOK_MS);
    }
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
  }
}

async function countJobs(queue: Queue): Promise<[string, Leftovers[string]]> {
  const toDo = await queue.getJobCountByTypes("wait", "active", "delayed", "prioritized");
  return [queue.name, { toDo, dead: await queue.getJobCountByTypes("failed") }];
}

async function hasten(queue: Queue, redis: RedisClient): Promise<void> {
  const from = (Date.now() + LONG_MS) * DELAYED_SCORE_PER_MS;
  for (const id of await redis.zrangebyscore(queue.toKey("delayed"), from, "+inf"))
    // It may have been taken meanwhile.
    await (await queue.getJob(id))?.promote().catch(() => {});
}

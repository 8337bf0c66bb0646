import { Queue } from "bullmq";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import type { RedisClient } from "../../shared/redis.ts";

/** The ids and payloads of the jobs that lie in a queue, oldest first. */
export async function readQueue(
  redis: RedisClient,
  name: string,
): Promise<{ id: string; payload: unknown }[]> {
  const queue = new Queue(name, { connection: redis, prefix: REDIS_PREFIX });
  const jobs = await queue.getJobs(["wait", "delayed", "prioritized"], 0, -1, true);
  await queue.close();
  return jobs.map(({ id = "", data }) => ({ id, payload: data as unknown }));
}

import { Classification } from "../contracts/classification.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds that a classification which is not finished stays known in Redis: a week, longer than its job is retried. */
const MOVING_TTL = 8 * 86_400;

/** Writes down a classification that is about to be enqueued. That it is being processed is told by its job. */
export async function putClassification(
  redis: RedisClient,
  tenant: string,
  classification: Classification,
): Promise<void> {
  await redis.set(
    redisKeys.classification(tenant, classification.id),
    JSON.stringify(classification),
    "EX",
    MOVING_TTL,
  );
}

/** The tenant's classification while it moves; undefined once it is finished (then storage has it) or when there is none. */
export async function getMovingClassification(
  redis: RedisClient,
  tenant: string,
  id: string,
): Promise<Classification | undefined> {
  const text = await redis.get(redisKeys.classification(tenant, id));
  return text === null ? undefined : Classification.parse(JSON.parse(text));
}

/** Tells those who wait for it and forgets the moving state. To be called after storage has the result. */
export async function finishClassification(
  redis: RedisClient,
  tenant: string,
  classification: Classification,
): Promise<void> {
  await Promise.all([
    redis.del(redisKeys.classification(tenant, classification.id)),
    redis.publish(redisKeys.finished(classification.id), JSON.stringify(classification)),
  ]);
}

import type { Logger } from "./logger.ts";
import { redisFaults } from "./redis.ts";
import type { RedisClient } from "./redis.ts";

/** Logs what is wrong with how Redis is set up for keeping accepted work. Never throws: a Redis that is away may come back. */
export async function warnOfRedisFaults({
  redis,
  logger,
}: {
  redis: RedisClient;
  logger: Logger;
}): Promise<void> {
  try {
    for (const fault of await redisFaults(redis)) logger.warn(fault);
  } catch (err) {
    logger.warn({ err }, "how Redis is set up could not be checked");
  }
}

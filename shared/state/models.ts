import { ServedModel } from "../contracts/model.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Announces that a worker serves this model. It stays known when the last worker goes, so that work can wait for the next. */
export async function announceModel(redis: RedisClient, model: ServedModel): Promise<void> {
  await redis.hset(redisKeys.models(), model.name, JSON.stringify(model));
}

/** The models that workers have announced, by name. */
export async function listModels(redis: RedisClient): Promise<ServedModel[]> {
  const rows = await redis.hvals(redisKeys.models());
  return rows
    .map((row) => ServedModel.parse(JSON.parse(row)))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

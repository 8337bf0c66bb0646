import * as z from "zod";
import { ServedModel } from "../contracts/model.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Milliseconds between two announcements of a worker, and after the last of which nobody serves a model any more. */
export const ANNOUNCE_EVERY_MS = 30_000;
const SERVED_MS = 3 * ANNOUNCE_EVERY_MS;

/** Announces that a worker serves this model. It stays known when the last worker goes, so that work can wait for the next. */
export async function announceModel(redis: RedisClient, model: z.input<typeof ServedModel>): Promise<void> {
  await redis.hset(redisKeys.models(), model.name, JSON.stringify(model));
}

/** Tells the names of a model's classes, by their numbers: apart from the rest, since there may be ten thousand. */
export async function announceLabels(
  redis: RedisClient,
  name: string,
  labels: readonly string[],
): Promise<void> {
  await redis.hset(redisKeys.modelLabels(), name, JSON.stringify(labels));
}

/** The models that workers have announced, by name. */
export async function listModels(redis: RedisClient): Promise<ServedModel[]> {
  const rows = await redis.hvals(redisKeys.models());
  return rows
    .map((row) => ServedModel.parse(JSON.parse(row)))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** The model of this name, if a worker has announced it. */
export async function findModel(redis: RedisClient, name: string): Promise<ServedModel | undefined> {
  const row = await redis.hget(redisKeys.models(), name);
  return row === null ? undefined : ServedModel.parse(JSON.parse(row));
}

/** The names of a model's classes, by their numbers; none when no worker has told them. */
export async function labelsOfModel(redis: RedisClient, name: string): Promise<string[]> {
  const text = await redis.hget(redisKeys.modelLabels(), name);
  return text === null ? [] : z.array(z.string()).parse(JSON.parse(text));
}

/** Whether a worker serves a model now, or did a minute and a half ago. */
export const isServed = ({ served_at }: Pick<ServedModel, "served_at">): boolean =>
  Date.now() - Date.parse(served_at) < SERVED_MS;

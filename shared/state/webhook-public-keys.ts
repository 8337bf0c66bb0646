import * as z from "zod";
import { WebhookPublicKey } from "../contracts/webhook.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

const PublicKeys = z.array(WebhookPublicKey);

/** Publishes the keys that verify messages of an endpoint, in place of those before. */
export async function publishKeys(
  redis: RedisClient,
  endpointId: string,
  keys: readonly WebhookPublicKey[],
): Promise<void> {
  await redis.hset(redisKeys.webhookPublicKeys(), endpointId, JSON.stringify(keys));
}

/** The public keys of all endpoints that verify messages now. */
export async function listPublicKeys(redis: RedisClient): Promise<WebhookPublicKey[]> {
  const rows = await redis.hvals(redisKeys.webhookPublicKeys());
  const now = new Date().toISOString();
  return rows
    .flatMap((row) => PublicKeys.parse(JSON.parse(row)))
    .filter(({ signs_until: until }) => until === null || until > now);
}

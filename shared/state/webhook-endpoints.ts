import * as z from "zod";
import { MAX_WEBHOOK_ENDPOINTS, WebhookEndpoint } from "../contracts/webhook.ts";
import type { UpdateWebhookEndpoint, WebhookPublicKey } from "../contracts/webhook.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { pageOfIds } from "./id-list.ts";
import type { PageOf, Place } from "./id-list.ts";

/** Milliseconds after which failures are too far apart to be of one piece: longer than the longest wait between two attempts. */
const QUIET_MS = 2 * 86_400_000;

const orNull = (text: string) => (text === "" ? null : text);

/** The Redis hash of an endpoint, without its secret, which has a key of its own; "" stands for null. */
const EndpointHash = WebhookEndpoint.extend({
  events: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(WebhookEndpoint.shape.events),
  public_key: z.string().transform(orNull),
  disabled_reason: z.string().transform(orNull),
  disabled_at: z.string().transform(orNull),
});

const toFields = (fields: Partial<WebhookEndpoint>): string[] =>
  Object.entries(fields).flatMap(([name, value]) => [
    name,
    name === "events" ? JSON.stringify(value) : String(value ?? ""),
  ]);

/**
 * KEYS[1] the endpoint (hash)   KEYS[2] those of the tenant (zset)   KEYS[3] its secret   KEYS[4] all public keys (hash)
 * ARGV[1] its id   ARGV[2] the most a tenant may have   ARGV[3] the secret   ARGV[4] its public keys (JSON) or ""
 * ARGV[5], ARGV[6] … names and values of fields. Answers 0 when the tenant has that many already, else 1.
 */
const PUT = `
if redis.call("ZCARD", KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call("HSET", KEYS[1], unpack(ARGV, 5))
redis.call("ZADD", KEYS[2], 0, ARGV[1])
redis.call("SET", KEYS[3], ARGV[3])
if ARGV[4] ~= "" then redis.call("HSET", KEYS[4], ARGV[1], ARGV[4]) end
return 1`;

/** Registers an endpoint with the secret that signs its messages, and publishes its public key. False when the tenant has MAX_WEBHOOK_ENDPOINTS already. */
export async function putEndpoint(
  redis: RedisClient,
  tenant: string,
  { endpoint, secret }: { endpoint: WebhookEndpoint; secret: string },
): Promise<boolean> {
  const { id, public_key } = endpoint;
  const keys = [
    redisKeys.webhookEndpoint(tenant, id),
    redisKeys.webhookEndpoints(tenant),
    redisKeys.webhookSecret(id),
    redisKeys.webhookPublicKeys(),
  ];
  const published: WebhookPublicKey[] =
    public_key === null ? [] : [{ endpoint_id: id, public_key, signs_until: null }];
  const args = [id, MAX_WEBHOOK_ENDPOINTS, secret, published.length > 0 ? JSON.stringify(published) : ""];
  return (await redis.eval(PUT, keys.length, ...keys, ...args, ...toFields(endpoint))) === 1;
}

/** The tenant's endpoint of this id, or undefined. */
export async function getEndpoint(
  redis: RedisClient,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint | undefined> {
  const fields = await redis.hgetall(redisKeys.webhookEndpoint(tenant, id));
  return Object.keys(fields).length === 0 ? undefined : EndpointHash.parse(fields);
}

/** A page of the tenant's endpoints, the newest first. */
export async function listEndpoints(
  redis: RedisClient,
  tenant: string,
  place: Place,
): Promise<PageOf<WebhookEndpoint>> {
  const { data, next } = await pageOfIds(redis, redisKeys.webhookEndpoints(tenant), place);
  const endpoints = await Promise.all(data.map((id) => getEndpoint(redis, tenant, id)));
  return { data: endpoints.filter((endpoint) => endpoint !== undefined), next };
}

/**
 * KEYS[1] the endpoint (hash)   ARGV[1] "" or the status it must have   ARGV[2], ARGV[3] … names and values of fields
 * Answers 1 when it was changed. What makes it enabled forgets its failures.
 */
const UPDATE = `
local status = redis.call("HGET", KEYS[1], "status")
if not status or (ARGV[1] ~= "" and ARGV[1] ~= status) then return 0 end
redis.call("HSET", KEYS[1], unpack(ARGV, 2))
if redis.call("HGET", KEYS[1], "status") == "enabled" and status ~= "enabled" then
  redis.call("HDEL", KEYS[1], "failing_since", "last_failed_at")
end
return 1`;

/** Changes what is given of an endpoint, unless it is gone meanwhile. Enabling it forgets its failures. */
export async function updateEndpoint(
  redis: RedisClient,
  tenant: string,
  id: string,
  { status, ...changes }: Partial<Pick<WebhookEndpoint, "public_key">> & UpdateWebhookEndpoint,
): Promise<void> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const fields = toFields({
    ...Object.fromEntries(given),
    ...(status === "enabled" && { status, disabled_reason: null, disabled_at: null }),
  });
  if (fields.length > 0) await redis.eval(UPDATE, 1, redisKeys.webhookEndpoint(tenant, id), "", ...fields);
  if (status === "disabled") await disableEndpoint(redis, tenant, { id, reason: "Its owner disabled it." });
}

/** Disables an endpoint. False when it is disabled already, and keeps its reason, or gone. */
export async function disableEndpoint(
  redis: RedisClient,
  tenant: string,
  { id, reason }: { id: string; reason: string },
): Promise<boolean> {
  const fields = toFields({
    status: "disabled",
    disabled_reason: reason,
    disabled_at: new Date().toISOString(),
  });
  const key = redisKeys.webhookEndpoint(tenant, id);
  return (await redis.eval(UPDATE, 1, key, "enabled", ...fields)) === 1;
}

/** Forgets an endpoint, its secrets and its log. False when there is none of this id. */
export async function deleteEndpoint(redis: RedisClient, tenant: string, id: string): Promise<boolean> {
  const answers = await redis
    .multi()
    .zrem(redisKeys.webhookEndpoints(tenant), id)
    .hdel(redisKeys.webhookPublicKeys(), id)
    .del(
      redisKeys.webhookEndpoint(tenant, id),
      redisKeys.webhookSecret(id),
      redisKeys.oldWebhookSecrets(id),
      redisKeys.webhookAttempts(id),
    )
    .exec();
  return answers?.[0]?.[1] === 1;
}

/** Notes that a message was delivered: the failures before it count no more. */
export async function noteDelivery(redis: RedisClient, tenant: string, id: string): Promise<void> {
  await redis.hdel(redisKeys.webhookEndpoint(tenant, id), "failing_since", "last_failed_at");
}

/** KEYS[1] the endpoint (hash)   ARGV[1] now   ARGV[2] the longest quiet, both in ms. Answers since when all has failed, in ms. */
const NOTE_FAILURE = `
if redis.call("EXISTS", KEYS[1]) == 0 then return ARGV[1] end
local last = redis.call("HGET", KEYS[1], "last_failed_at")
if not last or ARGV[1] - last > tonumber(ARGV[2]) then redis.call("HSET", KEYS[1], "failing_since", ARGV[1]) end
redis.call("HSET", KEYS[1], "last_failed_at", ARGV[1])
return redis.call("HGET", KEYS[1], "failing_since")`;

/**
 * Notes that an attempt failed now, and returns since when every attempt has, in milliseconds since 1970. After two days
 * without any attempt that begins anew, so that two failures a month apart are not a month of failure.
 */
export async function noteFailure(redis: RedisClient, tenant: string, id: string): Promise<number> {
  const key = redisKeys.webhookEndpoint(tenant, id);
  return Number(await redis.eval(NOTE_FAILURE, 1, key, Date.now(), QUIET_MS));
}

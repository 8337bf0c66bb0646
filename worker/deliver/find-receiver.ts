import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import type { WebhookEndpoint } from "../../shared/contracts/webhook.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { goneSince } from "../../shared/state/gone-urls.ts";
import { getEndpoint } from "../../shared/state/webhook-endpoints.ts";
import { getSigningSecrets, getWebhookSecret } from "../../shared/state/webhook-secret.ts";

/** Where a message goes now: to an address, signed with these secrets; nowhere, for a reason; or nowhere since nobody asked for it. */
export type Receiver =
  | { kind: "open"; url: string; secrets: string[] }
  | { kind: "closed"; reason: string }
  | { kind: "unwanted" };

const DELETED = { kind: "closed", reason: "The endpoint was deleted." } as const;

/** Finds out where a message goes, just before each attempt: its endpoint may have changed since the last. */
export async function findReceiver(payload: DeliverPayload, redis: RedisClient): Promise<Receiver> {
  return "endpoint_id" in payload
    ? receiverOfEndpoint(payload, payload.endpoint_id, redis)
    : receiverOfUrl(payload, payload.url, redis);
}

async function receiverOfEndpoint(
  { tenant, event_type: type }: DeliverPayload,
  id: string,
  redis: RedisClient,
): Promise<Receiver> {
  const endpoint = await getEndpoint(redis, tenant, id);
  if (endpoint === undefined) return DELETED;
  if (!isWanted(endpoint, type)) return { kind: "unwanted" };
  if (endpoint.status === "disabled")
    return {
      kind: "closed",
      reason: `The endpoint is disabled. ${endpoint.disabled_reason ?? ""}`.trimEnd(),
    };
  const secrets = await getSigningSecrets(redis, id);
  return secrets.length === 0 ? DELETED : { kind: "open", url: endpoint.url, secrets };
}

const isWanted = ({ events }: WebhookEndpoint, type: DeliverPayload["event_type"]) =>
  type === "webhook.test" || events === null || events.includes(type);

async function receiverOfUrl(
  { tenant, created_at: createdAt, sending }: DeliverPayload,
  url: string,
  redis: RedisClient,
): Promise<Receiver> {
  const [gone, secrets] = await Promise.all([
    goneSince(redis, tenant, url),
    getSigningSecrets(redis, tenant),
  ]);
  if (gone !== undefined && createdAt <= gone && sending === 0)
    return { kind: "closed", reason: `The address answered 410 at ${gone}: it wants no more messages.` };
  // The tenant's secret is made when it is first needed.
  return {
    kind: "open",
    url,
    secrets: secrets.length > 0 ? secrets : [await getWebhookSecret(redis, tenant)],
  };
}

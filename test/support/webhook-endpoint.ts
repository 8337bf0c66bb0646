import type { WebhookEndpoint, WebhookSigning } from "../../shared/contracts/webhook.ts";
import { newId } from "../../shared/new-id.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { newSigningSecret, publicKeyOf } from "../../shared/signature.ts";
import { putEndpoint } from "../../shared/state/webhook-endpoints.ts";

/** Registers an endpoint at an address, of the tenant `default` unless told otherwise, and returns it with its secret. */
export async function registerEndpoint(
  redis: RedisClient,
  {
    url,
    tenant = "default",
    signing = "hmac",
    events = null,
  }: { url: string; tenant?: string; signing?: WebhookSigning; events?: WebhookEndpoint["events"] },
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const secret = await newSigningSecret(signing);
  const endpoint: WebhookEndpoint = {
    id: newId("whe"),
    object: "webhook_endpoint",
    url,
    description: "",
    events,
    signing,
    public_key: publicKeyOf(secret),
    status: "enabled",
    disabled_reason: null,
    disabled_at: null,
    created_at: new Date().toISOString(),
  };
  await putEndpoint(redis, tenant, { endpoint, secret });
  return { endpoint, secret };
}

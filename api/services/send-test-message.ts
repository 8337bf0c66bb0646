import type { Event } from "../../shared/contracts/event.ts";
import type { WebhookMessage } from "../../shared/contracts/webhook.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import type { ApiDeps } from "../deps.ts";
import { getEnabledEndpoint } from "./get-webhook-endpoint.ts";
import { getWebhookMessage } from "./get-webhook-message.ts";

/** Sends an endpoint the event `webhook.test`, whatever its filter names, once an occasion. Throws AppError not_found, or conflict when it is disabled. */
export async function sendTestMessage(
  deps: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  endpointId: string,
  traceparent: string,
  occasion: string = newId("msg"),
): Promise<WebhookMessage> {
  const endpoint = await getEnabledEndpoint(deps, tenant, endpointId);
  const id = await messageId(occasion, "webhook.test", endpointId);
  const now = new Date().toISOString();
  const event: Event = { type: "webhook.test", timestamp: now, data: { ...endpoint } };
  const payload = {
    message_id: id,
    tenant,
    event_type: event.type,
    endpoint_id: endpointId,
    body: JSON.stringify(event),
    created_at: now,
    sending: 0,
    traceparent,
  };
  await deps.queues.enqueueDeliver({ id, payload });
  return getWebhookMessage(deps, tenant, id);
}

import { WebhookEndpointId } from "../../shared/contracts/ids.ts";
import { AppError } from "../../shared/errors.ts";
import { getEndpoint } from "../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../deps.ts";

/** What a request says about its callback. */
interface WebhookOptions<EventType extends string> {
  webhook?: string | undefined;
  webhook_events_filter?: EventType[] | undefined;
}

/** Where the messages about a request's resource go: to an address, to a registered endpoint, or null. Throws AppError invalid_request for an endpoint that the tenant has not got. */
export async function resolveWebhook<EventType extends string>(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string,
  { webhook, webhook_events_filter: events }: WebhookOptions<EventType>,
) {
  if (webhook === undefined) return null;
  if (!WebhookEndpointId.safeParse(webhook).success) return { url: webhook, events };
  if ((await getEndpoint(redis, tenant, webhook)) === undefined) {
    const detail = `there is no webhook endpoint ${webhook}; POST /v1/webhook-endpoints makes one`;
    throw new AppError("invalid_request", `webhook: ${detail}.`, [
      { pointer: "/webhook", detail, code: "not_found" },
    ]);
  }
  return { endpoint_id: webhook, events };
}

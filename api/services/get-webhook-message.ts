import { Event } from "../../shared/contracts/event.ts";
import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import type { WebhookMessage } from "../../shared/contracts/webhook.ts";
import { AppError } from "../../shared/errors.ts";
import { getEndedMessage } from "../../shared/state/webhook-messages.ts";
import type { ApiDeps } from "../deps.ts";

/** The message of this id: from its job until it has ended, then from what is kept of it. Throws AppError not_found. */
export async function getWebhookMessage(
  { redis, queues }: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  id: string,
): Promise<WebhookMessage> {
  const pending = await queues.findMessage(id);
  if (pending?.payload.tenant === tenant)
    return toMessage(pending.payload, {
      status: "pending",
      attempts: pending.attempts,
      reason: null,
      ended_at: null,
    });
  const ended = await getEndedMessage(redis, id);
  if (ended?.payload.tenant !== tenant) throw noMessage(id);
  const { payload, ...end } = ended;
  return toMessage(payload, end);
}

/** The refusal of a message that there is not, or no longer. */
export const noMessage = (id: string): AppError =>
  new AppError(
    "not_found",
    `There is no webhook message ${id}. One that was delivered is kept for a day, any other for two weeks.`,
  );

function toMessage(
  payload: DeliverPayload,
  end: Pick<WebhookMessage, "status" | "attempts" | "reason" | "ended_at">,
): WebhookMessage {
  return {
    id: payload.message_id,
    object: "webhook_message",
    type: payload.event_type,
    endpoint_id: "endpoint_id" in payload ? payload.endpoint_id : null,
    url: "url" in payload ? payload.url : null,
    ...end,
    created_at: payload.created_at,
    event: Event.parse(JSON.parse(payload.body)),
  };
}

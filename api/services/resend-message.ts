import type { WebhookMessage } from "../../shared/contracts/webhook.ts";
import type { Queues } from "../../shared/queue.ts";
import { getEndedMessage } from "../../shared/state/webhook-messages.ts";
import type { EndedMessage } from "../../shared/state/webhook-messages.ts";
import type { ApiDeps } from "../deps.ts";
import { getEnabledEndpoint } from "./get-webhook-endpoint.ts";
import { getWebhookMessage, noMessage } from "./get-webhook-message.ts";

/**
 * Sends a message again under its id: one that has ended begins with a first attempt anew, one that waits for its next attempt
 * is tried now. Throws AppError not_found, or conflict when its endpoint is disabled.
 */
export async function resendMessage(
  deps: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  id: string,
): Promise<WebhookMessage> {
  const { payload } = await knownMessage(deps, id);
  if (payload.tenant !== tenant) throw noMessage(id);
  if ("endpoint_id" in payload) await getEnabledEndpoint(deps, tenant, payload.endpoint_id);
  const ended = await getEndedMessage(deps.redis, id);
  if (ended !== undefined) await sendAgain(deps.queues, ended);
  await deps.queues.hastenMessage(id);
  return getWebhookMessage(deps, tenant, id);
}

/** Enqueues a message that has ended once more. Nothing happens while it is queued already. */
export async function sendAgain(queues: Queues, { payload }: EndedMessage): Promise<void> {
  const again = { ...payload, sending: payload.sending + 1 };
  await queues.enqueueDeliver({ id: payload.message_id, payload: again });
}

async function knownMessage({ redis, queues }: Pick<ApiDeps, "redis" | "queues">, id: string) {
  const message = (await queues.findMessage(id)) ?? (await getEndedMessage(redis, id));
  if (message === undefined) throw noMessage(id);
  return message;
}

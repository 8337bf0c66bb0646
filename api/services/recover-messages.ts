import type { WebhookRecovery } from "../../shared/contracts/webhook.ts";
import { undeliveredMessages } from "../../shared/state/webhook-messages.ts";
import type { ApiDeps } from "../deps.ts";
import { getEnabledEndpoint } from "./get-webhook-endpoint.ts";
import { sendAgain } from "./resend-message.ts";

/** Sends an endpoint again what was given up or not sent at or after `since`, each message under its id. Throws AppError not_found, or conflict when it is disabled. */
export async function recoverMessages(
  deps: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  { id, since }: { id: string; since: string },
): Promise<WebhookRecovery> {
  await getEnabledEndpoint(deps, tenant, id);
  let messages = 0;
  for await (const page of undeliveredMessages(deps.redis, id, Date.parse(since))) {
    await Promise.all(page.map((message) => sendAgain(deps.queues, message)));
    messages += page.length;
  }
  return { object: "webhook_recovery", endpoint_id: id, messages };
}

import type { WebhookAttempt } from "../../shared/contracts/webhook.ts";
import { listAttempts } from "../../shared/state/webhook-attempts.ts";
import type { ApiDeps } from "../deps.ts";
import { getWebhookEndpoint } from "./get-webhook-endpoint.ts";

/** A page of an endpoint's log, the latest attempt first. Throws AppError not_found. */
export async function listWebhookAttempts(
  deps: Pick<ApiDeps, "redis">,
  tenant: string,
  { id, limit, cursor }: { id: string; limit: number; cursor: string | undefined },
): Promise<{ object: "list"; data: WebhookAttempt[]; next_cursor: string | null }> {
  await getWebhookEndpoint(deps, tenant, id);
  const lines = await listAttempts(deps.redis, id, { limit: limit + 1, before: cursor });
  const page = lines.slice(0, limit);
  return {
    object: "list",
    data: page.map(({ attempt }) => attempt),
    next_cursor: lines.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

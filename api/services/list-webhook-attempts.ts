import type { WebhookAttempt } from "../../shared/contracts/webhook.ts";
import { toPage } from "../../shared/state/id-list.ts";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import { listAttempts } from "../../shared/state/webhook-attempts.ts";
import type { ApiDeps } from "../deps.ts";
import { getWebhookEndpoint } from "./get-webhook-endpoint.ts";

/** A page of an endpoint's log, the latest attempt first. Throws AppError not_found. */
export async function listWebhookAttempts(
  deps: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
  { limit, before }: Place,
): Promise<PageOf<WebhookAttempt>> {
  await getWebhookEndpoint(deps, tenant, id);
  const lines = await listAttempts(deps.redis, id, { limit: limit + 1, before });
  const page = toPage(lines, limit, (line) => line.id);
  return { data: page.data.map(({ attempt }) => attempt), next: page.next };
}

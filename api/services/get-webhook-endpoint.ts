import type { WebhookEndpoint } from "../../shared/contracts/webhook.ts";
import { AppError } from "../../shared/errors.ts";
import { getEndpoint } from "../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../deps.ts";

/** The tenant's endpoint of this id. Throws AppError not_found. */
export async function getWebhookEndpoint(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = await getEndpoint(redis, tenant, id);
  if (endpoint === undefined) throw new AppError("not_found", `There is no webhook endpoint ${id}.`);
  return endpoint;
}

/** The same, when messages are sent to it. Throws AppError not_found, or conflict when it is disabled. */
export async function getEnabledEndpoint(
  deps: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = await getWebhookEndpoint(deps, tenant, id);
  if (endpoint.status === "disabled")
    throw new AppError(
      "conflict",
      `The webhook endpoint ${id} is disabled; PATCH it with {"status": "enabled"} first.`,
    );
  return endpoint;
}

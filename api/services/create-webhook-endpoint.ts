import { MAX_WEBHOOK_ENDPOINTS } from "../../shared/contracts/webhook.ts";
import type {
  CreateWebhookEndpoint,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
} from "../../shared/contracts/webhook.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import { newSigningSecret, publicKeyOf } from "../../shared/signature.ts";
import { putEndpoint } from "../../shared/state/webhook-endpoints.ts";
import type { ApiDeps } from "../deps.ts";

/** Registers an endpoint; the answer shows its secret. Throws AppError conflict when the tenant has as many as it may have. */
export async function createWebhookEndpoint(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string,
  request: CreateWebhookEndpoint,
): Promise<WebhookEndpointWithSecret> {
  const secret = await newSigningSecret(request.signing);
  const endpoint: WebhookEndpoint = {
    id: newId("whe"),
    object: "webhook_endpoint",
    ...request,
    public_key: publicKeyOf(secret),
    status: "enabled",
    disabled_reason: null,
    disabled_at: null,
    created_at: new Date().toISOString(),
  };
  if (!(await putEndpoint(redis, tenant, { endpoint, secret })))
    throw new AppError(
      "conflict",
      `There are ${MAX_WEBHOOK_ENDPOINTS} webhook endpoints already; delete one that is not used.`,
    );
  return { ...endpoint, secret: endpoint.public_key === null ? secret : null };
}

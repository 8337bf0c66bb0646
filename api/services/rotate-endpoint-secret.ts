import type { WebhookEndpointWithSecret, WebhookPublicKey } from "../../shared/contracts/webhook.ts";
import { newSigningSecret, publicKeyOf } from "../../shared/signature.ts";
import { updateEndpoint } from "../../shared/state/webhook-endpoints.ts";
import { publishKeys } from "../../shared/state/webhook-public-keys.ts";
import { getOldSecrets, rotateSecret } from "../../shared/state/webhook-secret.ts";
import type { ApiDeps } from "../deps.ts";
import { getWebhookEndpoint } from "./get-webhook-endpoint.ts";

/**
 * Replaces an endpoint's secret, or its pair of keys; the one before signs too for `overlapMs`. The answer shows the new
 * secret. A public key is published before anything is signed with it. Throws AppError not_found.
 */
export async function rotateEndpointSecret(
  deps: Pick<ApiDeps, "redis">,
  tenant: string,
  { id, overlapMs }: { id: string; overlapMs: number },
): Promise<WebhookEndpointWithSecret> {
  const { redis } = deps;
  const { signing, public_key: before } = await getWebhookEndpoint(deps, tenant, id);
  const secret = await newSigningSecret(signing);
  const publicKey = publicKeyOf(secret);
  if (publicKey !== null && before !== null) {
    const old = await oldKeys(redis, id, { before, overlapMs });
    await publishKeys(redis, id, [{ endpoint_id: id, public_key: publicKey, signs_until: null }, ...old]);
  }
  await rotateSecret(redis, id, { secret, overlapMs });
  await updateEndpoint(redis, tenant, id, { public_key: publicKey });
  const endpoint = await getWebhookEndpoint(deps, tenant, id);
  return { ...endpoint, secret: publicKey === null ? secret : null };
}

/** The public keys that go on signing after a rotation: the one before it and those before that. */
async function oldKeys(
  redis: ApiDeps["redis"],
  id: string,
  { before, overlapMs }: { before: string; overlapMs: number },
): Promise<WebhookPublicKey[]> {
  if (overlapMs === 0) return [];
  const older = (await getOldSecrets(redis, id)).map(({ secret, signsUntil }) => ({
    publicKey: publicKeyOf(secret),
    signsUntil,
  }));
  return [{ publicKey: before, signsUntil: Date.now() + overlapMs }, ...older].flatMap(
    ({ publicKey, signsUntil }) =>
      publicKey === null
        ? []
        : [{ endpoint_id: id, public_key: publicKey, signs_until: new Date(signsUntil).toISOString() }],
  );
}

import type { ApiKey } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import { getApiKeyState, revokeApiKey as revoke } from "../../shared/state/api-keys.ts";
import type { ApiDeps } from "../deps.ts";

/** Revokes a key of a tenant, or of any when that is undefined; the next request with it is refused. Throws AppError not_found. */
export async function revokeApiKey(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string | undefined,
  id: string,
): Promise<ApiKey> {
  const known = await getApiKeyState(redis, id);
  const isTheirs = tenant === undefined || known?.apiKey.tenant === tenant;
  if (isTheirs) await revoke(redis, id);
  const revoked = isTheirs ? await getApiKeyState(redis, id) : undefined;
  if (revoked === undefined) throw new AppError("not_found", `There is no API key ${id}.`);
  return revoked.apiKey;
}

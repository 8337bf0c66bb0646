import type { ApiKeyRecord, ApiKeyWithSecret, CreateApiKey } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import { putApiKey } from "../../shared/state/api-keys.ts";
import { newApiKeyText } from "../api-key-text.ts";
import type { ApiDeps } from "../deps.ts";

/** Who asks for a key. */
export interface KeyMaker {
  tenant: string;
  /** Whether it is the service's own key that asks: who has it runs the service, and makes keys of all tenants. */
  isOperator: boolean;
}

/** Makes a key, and its tenant with it when that is new. Throws AppError forbidden for a key of a tenant that is not the maker's. */
export async function createApiKey(
  { redis }: Pick<ApiDeps, "redis">,
  maker: KeyMaker,
  { name, tenant = maker.tenant, scopes }: CreateApiKey,
): Promise<ApiKeyWithSecret> {
  if (tenant !== maker.tenant && !maker.isOperator)
    throw new AppError(
      "forbidden",
      `This key makes keys of the tenant "${maker.tenant}" alone; those of others are made with the service's own API_KEY.`,
    );
  const { id, text } = newApiKeyText();
  const shown = { id, name, tenant, scopes, created_at: new Date().toISOString() };
  const record: ApiKeyRecord = { ...shown, sha256: await sha256Hex(text) };
  await putApiKey(redis, record);
  return { ...shown, object: "api_key", last_used_at: null, revoked_at: null, key: text };
}

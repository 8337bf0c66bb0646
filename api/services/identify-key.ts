import { timingSafeEqual } from "hono/utils/buffer";
import { Scope } from "../../shared/contracts/api-key.ts";
import type { ApiKey } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import { getApiKeyState } from "../../shared/state/api-keys.ts";
import { apiKeyIdOf } from "../api-key-text.ts";
import type { ApiDeps } from "../deps.ts";

/** Whose the service's own `API_KEY` is, and what it allows. */
export const OWN_KEY = { tenant: "default", scopes: Scope.options } as const;

/**
 * The key that this text is, which is not revoked, or `own`: the service's own, for which Redis is not asked. Compares in
 * constant time. Throws AppError unauthorized.
 */
export async function identifyKey(
  { config, redis }: Pick<ApiDeps, "config" | "redis">,
  text: string,
): Promise<ApiKey | "own"> {
  if (await timingSafeEqual(text, config.API_KEY, unhashed)) return "own";
  const id = apiKeyIdOf(text);
  const state = id === undefined ? undefined : await getApiKeyState(redis, id);
  if (state === undefined || !(await timingSafeEqual(await sha256Hex(text), state.sha256)))
    throw new AppError("unauthorized", "This API key is not known.");
  const { apiKey } = state;
  if (apiKey.revoked_at !== null)
    throw new AppError("unauthorized", `This API key was revoked at ${apiKey.revoked_at}.`);
  return apiKey;
}

/** For a comparison that is in constant time by itself: hashing both before it would be two trips through a pool of threads. */
const unhashed = (text: string): string => text;

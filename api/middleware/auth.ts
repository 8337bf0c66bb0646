import { createMiddleware } from "hono/factory";
import { timingSafeEqual } from "hono/utils/buffer";
import { Scope } from "../../shared/contracts/api-key.ts";
import type { ApiKey } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import { getApiKeyState, noteKeyUse } from "../../shared/state/api-keys.ts";
import { apiKeyIdOf } from "../api-key-text.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";

/** Milliseconds for which the use of a key is not noted again. */
const NOTED_MS = 60_000;

type Deps = Pick<ApiDeps, "config" | "redis" | "logger">;

/**
 * Lets requests pass that carry `Authorization: Bearer KEY` with the service's own `API_KEY`, for which Redis is not asked,
 * or with a key that was made and is not revoked, for which it is asked once. Compares in constant time.
 */
export const auth = (deps: Deps) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const text = readBearer(c.req.header("authorization"));
    if (await timingSafeEqual(text, deps.config.API_KEY, unhashed)) {
      c.set("tenant", "default");
      c.set("scopes", Scope.options);
      return next();
    }
    const apiKey = await findKey(deps, text);
    c.set("tenant", apiKey.tenant);
    c.set("scopes", apiKey.scopes);
    c.set("keyId", apiKey.id);
    const noted = noteUse(deps, apiKey);
    await next();
    await noted;
  });

/** For a comparison that is in constant time by itself: hashing both before it would be two trips through a pool of threads. */
const unhashed = (text: string): string => text;

function readBearer(header: string | undefined): string {
  if (header === undefined)
    throw new AppError("unauthorized", "Send the header Authorization: Bearer <API key>.");
  const text = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (text === undefined)
    throw new AppError("unauthorized", "The header must read Authorization: Bearer <API key>.");
  return text;
}

async function findKey({ redis }: Deps, text: string): Promise<ApiKey> {
  const id = apiKeyIdOf(text);
  const state = id === undefined ? undefined : await getApiKeyState(redis, id);
  if (state === undefined || !(await timingSafeEqual(await sha256Hex(text), state.sha256)))
    throw new AppError("unauthorized", "This API key is not known.");
  const { apiKey } = state;
  if (apiKey.revoked_at !== null)
    throw new AppError("unauthorized", `This API key was revoked at ${apiKey.revoked_at}.`);
  return apiKey;
}

/** Notes that a key is used, beside the request and without failing it. */
async function noteUse({ redis, logger }: Deps, { id, last_used_at }: ApiKey): Promise<void> {
  if (last_used_at !== null && Date.now() - Date.parse(last_used_at) < NOTED_MS) return;
  await noteKeyUse(redis, id).catch((err: unknown) => {
    logger.warn({ key: id, err }, "the use of a key was not noted");
  });
}

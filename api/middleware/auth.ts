import { createMiddleware } from "hono/factory";
import type { ApiKey } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import { noteKeyUse } from "../../shared/state/api-keys.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { OWN_KEY, identifyKey } from "../services/identify-key.ts";

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
    const apiKey = await identifyKey(deps, text);
    if (apiKey === "own") {
      c.set("tenant", OWN_KEY.tenant);
      c.set("scopes", OWN_KEY.scopes);
      return next();
    }
    c.set("tenant", apiKey.tenant);
    c.set("scopes", apiKey.scopes);
    c.set("keyId", apiKey.id);
    const noted = noteUse(deps, apiKey);
    await next();
    await noted;
  });

function readBearer(header: string | undefined): string {
  if (header === undefined)
    throw new AppError("unauthorized", "Send the header Authorization: Bearer <API key>.");
  const text = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (text === undefined)
    throw new AppError("unauthorized", "The header must read Authorization: Bearer <API key>.");
  return text;
}

/** Notes that a key is used, beside the request and without failing it. */
async function noteUse({ redis, logger }: Deps, { id, last_used_at }: ApiKey): Promise<void> {
  if (last_used_at !== null && Date.now() - Date.parse(last_used_at) < NOTED_MS) return;
  await noteKeyUse(redis, id).catch((err: unknown) => {
    logger.warn({ key: id, err }, "the use of a key was not noted");
  });
}

import type { Scope } from "../../shared/contracts/api-key.ts";
import type { ConsoleSession } from "../../shared/contracts/console-session.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import { getApiKeyState, noteKeyUse } from "../../shared/state/api-keys.ts";
import { getConsoleSession, putConsoleSession } from "../../shared/state/console-sessions.ts";
import type { ApiDeps } from "../deps.ts";
import { OWN_KEY, identifyKey } from "../services/identify-key.ts";

/** Random bytes of a session's secret. */
const SECRET_BYTES = 32;

/** Who looks at the console: what their key is now. */
export interface Visitor {
  tenant: string;
  scopes: readonly Scope[];
  /** `key_…`; undefined for the service's own `API_KEY`. */
  keyId: string | undefined;
  /** What the key is called. */
  name: string;
}

type Deps = Pick<ApiDeps, "config" | "redis">;

/** Opens a session for whoever has this key and answers its secret. Throws AppError unauthorized. */
export async function openSession(deps: Deps, key: string): Promise<string> {
  const apiKey = await identifyKey(deps, key);
  const keyId = apiKey === "own" ? null : apiKey.id;
  if (keyId !== null) await noteKeyUse(deps.redis, keyId);
  const random = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const secret = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  await putConsoleSession(deps.redis, secret, { key_id: keyId, key_sha256: await sha256Hex(key) });
  return secret;
}

/** Who has this session; undefined when there is none, or when its key was revoked or is another by now. */
export async function findVisitor(deps: Deps, secret: string): Promise<Visitor | undefined> {
  const session = await getConsoleSession(deps.redis, secret);
  return session === undefined ? undefined : holderOf(deps, session);
}

async function holderOf(
  { config, redis }: Deps,
  { key_id, key_sha256 }: ConsoleSession,
): Promise<Visitor | undefined> {
  if (key_id === null) {
    const isStill = key_sha256 === (await sha256Hex(config.API_KEY));
    return isStill ? { ...OWN_KEY, keyId: undefined, name: "the service's own key" } : undefined;
  }
  const state = await getApiKeyState(redis, key_id);
  if (state === undefined || state.apiKey.revoked_at !== null || state.sha256 !== key_sha256)
    return undefined;
  const { tenant, scopes, name } = state.apiKey;
  return { tenant, scopes, keyId: key_id, name };
}

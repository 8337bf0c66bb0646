import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { CookieOptions } from "hono/utils/cookie";
import { SESSION_TTL } from "../../shared/state/console-sessions.ts";
import type { ApiDeps } from "../deps.ts";

const NAME = "tresline_console";

/** For the console alone, and never sent by a request that another site makes. */
const OPTIONS = { httpOnly: true, sameSite: "Strict", path: "/console" } satisfies CookieOptions;

/** The secret of the session that the browser has; undefined without one. */
export const readSessionCookie = (c: Context): string | undefined => getCookie(c, NAME);

/** Gives the browser the secret of its session; over https it is sent back over https alone. */
export function giveSessionCookie(c: Context, { baseUrl }: Pick<ApiDeps, "baseUrl">, secret: string): void {
  const secure = [c.req.url, baseUrl()].some((url) => url.startsWith("https:"));
  setCookie(c, NAME, secret, { ...OPTIONS, secure, maxAge: SESSION_TTL });
}

/** Makes the browser forget its session. */
export function dropSessionCookie(c: Context): void {
  deleteCookie(c, NAME, OPTIONS);
}

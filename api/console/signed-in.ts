import { html } from "hono/html";
import { createMiddleware } from "hono/factory";
import type { ApiDeps } from "../deps.ts";
import type { ConsoleEnv } from "./env.ts";
import { findVisitor } from "./session.ts";
import { readSessionCookie } from "./session-cookie.ts";

/** Lets those pass who have signed in, as their key is now; others are asked to, and come back to the page they wanted. */
export const signedIn = (deps: Pick<ApiDeps, "config" | "redis">) =>
  createMiddleware<ConsoleEnv>(async (c, next) => {
    const secret = readSessionCookie(c);
    const visitor = secret === undefined ? undefined : await findVisitor(deps, secret);
    if (visitor === undefined) {
      // A link of another site comes without the cookie, which the browser sends when the page asks itself.
      if (secret === undefined && c.req.header("sec-fetch-site") === "cross-site" && c.req.method === "GET")
        return c.html(html`<meta http-equiv="refresh" content="0" />`);
      const { pathname, search } = new URL(c.req.url);
      const wanted = c.req.method === "GET" ? pathname + search : "/console";
      return c.redirect(`/console/sign-in?${new URLSearchParams({ next: wanted }).toString()}`, 303);
    }
    c.set("visitor", visitor);
    c.set("tenant", visitor.tenant);
    c.set("scopes", visitor.scopes);
    c.set("keyId", visitor.keyId);
    return next();
  });

import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { AppError } from "../../shared/errors.ts";
import type { ApiEnv } from "../env.ts";
import { SCOPES } from "../scopes.ts";

/** Lets requests pass whose key has the scope that the operation needs. Where there is no operation, there is nothing to guard. */
export const requireScope = createMiddleware<ApiEnv>(async (c, next) => {
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
  if (route === undefined) return next();
  const operation = `${route.method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
  const scope = SCOPES[operation];
  if (scope === undefined) throw new Error(`${operation} has no scope in api/scopes.ts. This is a bug.`);
  const scopes = c.get("scopes");
  if (!scopes.includes(scope))
    throw new AppError(
      "forbidden",
      `This needs a key with the scope "${scope}"; this one has "${scopes.join('", "')}".`,
    );
  return next();
});

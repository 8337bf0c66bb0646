import type { Context } from "hono";
import { matchedRoutes } from "hono/route";

/** The route that a request was for, as Hono spells it: `/v1/batches/:id`; undefined when it was for none. To be asked once it has been answered. */
export function routeOf(c: Context): string | undefined {
  // What ends with a star are middlewares, and pages for what is not there.
  return matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path;
}

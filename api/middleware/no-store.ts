import { createMiddleware } from "hono/factory";
import type { ApiEnv } from "../env.ts";

/** Lets nobody on the way keep an answer whose route says nothing of that: some show a secret, and all are for one key only. */
export const noStore = createMiddleware<ApiEnv>(async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
});

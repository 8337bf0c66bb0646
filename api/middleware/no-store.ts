import { createMiddleware } from "hono/factory";
import type { ApiEnv } from "../env.ts";

/** Lets nobody on the way keep an answer: some show a secret, and all are for who sent the key only. */
export const noStore = createMiddleware<ApiEnv>(async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
});

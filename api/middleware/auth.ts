import { createMiddleware } from "hono/factory";
import { timingSafeEqual } from "hono/utils/buffer";
import { AppError } from "../../shared/errors.ts";
import type { ApiEnv } from "../env.ts";

/** Lets requests pass that carry `Authorization: Bearer <apiKey>`; compares in constant time. */
export const auth = (apiKey: string) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const header = c.req.header("authorization");
    if (header === undefined)
      throw new AppError("unauthorized", "Send the header Authorization: Bearer <API key>.");
    const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
    if (key === undefined)
      throw new AppError("unauthorized", "The header must read Authorization: Bearer <API key>.");
    if (!(await timingSafeEqual(key, apiKey)))
      throw new AppError("unauthorized", "This API key is not known.");
    c.set("tenant", "default");
    await next();
  });

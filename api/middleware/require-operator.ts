import { createMiddleware } from "hono/factory";
import { AppError } from "../../shared/errors.ts";
import type { ApiEnv } from "../env.ts";

/** The tenant of whoever runs the service. */
export const OPERATOR = "default";

/** Lets only keys of whoever runs the service pass, to what is of all tenants. Throws AppError forbidden. */
export const requireOperator = createMiddleware<ApiEnv>(async (c, next) => {
  if (c.get("tenant") !== OPERATOR)
    throw new AppError("forbidden", `This needs a key of the tenant "${OPERATOR}".`);
  return next();
});

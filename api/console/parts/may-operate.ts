import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { AppError } from "../../../shared/errors.ts";
import { OPERATOR } from "../../middleware/require-operator.ts";
import type { ConsoleEnv } from "../env.ts";

/** Whether who has signed in runs the service, with a key that says so. */
export const mayOperate = (c: Context<ConsoleEnv>): boolean =>
  c.get("tenant") === OPERATOR && c.get("scopes").includes("admin");

/** Lets only those pass who may operate: what comes after shows or stops what is of all tenants. Throws AppError forbidden. */
export const needsOperator = createMiddleware<ConsoleEnv>(async (c, next) => {
  if (mayOperate(c)) return next();
  throw new AppError("forbidden", `This needs a key of the tenant "${OPERATOR}" with the scope "admin".`);
});

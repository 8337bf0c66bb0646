import { createMiddleware } from "hono/factory";
import type { Scope } from "../../shared/contracts/api-key.ts";
import { AppError } from "../../shared/errors.ts";
import type { ConsoleEnv } from "./env.ts";

/** Lets those pass whose key has this scope: what a page shows or does needs the same one as the API's own route for it. Throws AppError forbidden. */
export const needs = (scope: Scope) =>
  createMiddleware<ConsoleEnv>(async (c, next) => {
    if (c.get("scopes").includes(scope)) return next();
    throw new AppError(
      "forbidden",
      `This needs a key with the scope "${scope}"; yours has "${c.get("scopes").join('", "')}". Sign in with another one.`,
    );
  });

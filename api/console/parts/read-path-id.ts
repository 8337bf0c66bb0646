import type { Context } from "hono";
import type { z } from "zod";
import { AppError } from "../../../shared/errors.ts";

/** The id in the path of a page, under this name. Throws AppError not_found when it is no id of its kind. */
export function readPathId(c: Context, schema: z.ZodType<string>, name = "id"): string {
  const found = schema.safeParse(c.req.param(name));
  if (found.success) return found.data;
  throw new AppError("not_found", `There is no page ${c.req.path}.`);
}

import type { Context } from "hono";
import type { z } from "zod";

/** Where a list goes on, of the query's `cursor`; undefined for its first page, which is also answered to what is no cursor. */
export const readCursor = (c: Context, schema: z.ZodType<string>): string | undefined =>
  schema.optional().catch(undefined).parse(c.req.query("cursor"));

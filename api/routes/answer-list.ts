import type { Context } from "hono";
import { z } from "@hono/zod-openapi";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";

const MAX_LIMIT = 100;

/** The query of a list, whose cursors look like this. */
export const listQuery = <Cursor extends z.ZodType<string>>(cursor: Cursor) =>
  z.strictObject({
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_LIMIT)
      .default(20)
      .meta({ type: "integer", description: `How many at most: 1 to ${MAX_LIMIT}.` }),
    cursor: cursor
      .optional()
      .meta({ description: "`next_cursor` of the page before; without it, the first page." }),
  });

/** The page that the query of a list asks for. */
export const placeOf = ({ limit, cursor }: { limit: number; cursor?: string | undefined }): Place => ({
  limit,
  before: cursor,
});

/** The body of a list, under a name of its own in the OpenAPI document. */
export const listOf = <Schema extends z.ZodType>(each: Schema, name: string) =>
  z
    .object({
      object: z.literal("list"),
      data: z.array(each),
      next_cursor: z.string().nullable().meta({ description: "Null when nothing comes after it." }),
    })
    .meta({ id: name });

/** The answer of a list that has pages, as a route describes it. */
export const listAnswer = <Schema extends z.ZodType>(each: Schema, name: string) => ({
  description: "A page, the newest first.",
  headers: z.object({ link: z.string().optional().meta({ description: 'The next page: `rel="next"`.' }) }),
  content: { "application/json": { schema: listOf(each, name) } },
});

/** Makes that body; where the next page is goes into the header `Link` (RFC 8288) as well. */
export function listBody<Item>(
  c: Context<ApiEnv>,
  { baseUrl }: Pick<ApiDeps, "baseUrl">,
  { data, next }: PageOf<Item>,
) {
  if (next !== null) {
    const query = new URL(c.req.url).searchParams;
    query.set("cursor", next);
    c.header("link", `<${baseUrl()}${c.req.path}?${query.toString()}>; rel="next"`);
  }
  return { object: "list" as const, data, next_cursor: next };
}

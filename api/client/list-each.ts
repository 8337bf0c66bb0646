import * as z from "zod";
import type { Call, Transport } from "./transport.ts";

const PAGE = 100;

/** What a list has, the newest first, a page being fetched when it is asked for. `path` may have a query. */
export async function* listEach<Schema extends z.ZodType>(
  transport: Transport,
  schema: Schema,
  path: string,
  { signal }: Call,
): AsyncGenerator<z.output<Schema>, void, undefined> {
  const page = z.object({ data: z.array(schema), next_cursor: z.string().nullable() });
  const first = `${path}${path.includes("?") ? "&" : "?"}limit=${PAGE}`;
  for (let cursor = ""; ;) {
    const { data, next_cursor } = (await transport.ask(page, { path: first + cursor, signal })).value;
    yield* data;
    if (next_cursor === null) return;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}

import { z } from "zod";
import type { Call, Transport } from "./transport.ts";

const PAGE = 100;

/** All that a list has, the newest first, page after page. */
export async function listAll<Schema extends z.ZodType>(
  transport: Transport,
  schema: Schema,
  path: string,
  { signal }: Call,
): Promise<z.output<Schema>[]> {
  const page = z.object({ data: z.array(schema), next_cursor: z.string().nullable() });
  const listed: z.output<Schema>[] = [];
  for (let cursor = ""; ;) {
    const asked = { path: `${path}?limit=${PAGE}${cursor}`, signal };
    const { data, next_cursor } = (await transport.ask(page, asked)).value;
    listed.push(...data);
    if (next_cursor === null) return listed;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}

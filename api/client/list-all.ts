import type { z } from "zod";
import { listEach } from "./list-each.ts";

/** All that a list has at once, the newest first: of one that is never long. */
export async function listAll<Schema extends z.ZodType>(
  ...list: Parameters<typeof listEach<Schema>>
): Promise<z.output<Schema>[]> {
  const listed: z.output<Schema>[] = [];
  for await (const each of listEach(...list)) listed.push(each);
  return listed;
}

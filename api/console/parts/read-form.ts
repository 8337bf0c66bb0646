import type { Context } from "hono";
import type { z } from "zod";
import { rejectInvalid } from "../../middleware/problem-json.ts";

/** What was sent with a form: the texts under each name, without spaces around them and without files. */
export type Sent = Readonly<Record<string, readonly string[]>>;

/** Reads the form of a request. */
export async function readForm(c: Context): Promise<Sent> {
  const all = Object.entries(await c.req.parseBody({ all: true }));
  return Object.fromEntries(
    all.map(([name, value]) => [
      name,
      [value].flat().flatMap((each) => (typeof each === "string" ? each.trim() : [])),
    ]),
  );
}

/** The text that was sent under a name; undefined when there was none, or an empty one. */
export const textOf = (sent: Sent, name: string): string | undefined => sent[name]?.[0] || undefined;

/** The same as a number; what is none stays the text that it is, which no schema takes for one. */
export const numberOf = (sent: Sent, name: string): number | string | undefined => {
  const text = textOf(sent, name);
  return text === undefined || Number.isNaN(Number(text)) ? text : Number(text);
};

/** What a schema makes of a form, whose fields have the names of its own. Throws AppError invalid_request. */
export function parseForm<Schema extends z.ZodType>(
  schema: Schema,
  values: Record<string, unknown>,
): z.output<Schema> {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  return rejectInvalid({ ...parsed, target: "json" }) as never;
}

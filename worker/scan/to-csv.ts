import { stringify } from "csv-stringify/sync";
import { RESULT_COLUMNS } from "./result-rows.ts";
import type { ResultRow } from "./result-rows.ts";

/** The rows as CSV in UTF-8 (RFC 4180) under a line of the columns' names; what is a list is JSON, what is absent is empty. */
export async function* toCsv(
  groups: AsyncIterable<ResultRow[]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encode([[...RESULT_COLUMNS]]);
  for await (const rows of groups)
    yield encode(rows.map((row) => RESULT_COLUMNS.map((name) => cell(row[name]))));
}

const cell = (value: ResultRow[keyof ResultRow]) => (Array.isArray(value) ? JSON.stringify(value) : value);

// A lone carriage return ends a line for some readers, so it has to be quoted like a line feed.
const encode = (rows: unknown[][]) => Buffer.from(stringify(rows, { quoted_match: "\r" }), "utf8");
